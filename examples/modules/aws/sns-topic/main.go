// An SNS topic encrypted with the AWS-managed key, with an optional e-mail subscription.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v7/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		topic, err := sns.NewTopic(ctx, name, &sns.TopicArgs{
			KmsMasterKeyId: pulumi.String("alias/aws/sns"),
		})
		if err != nil {
			return err
		}

		if email := settings.Get("email"); email != "" {
			if _, err := sns.NewTopicSubscription(ctx, name, &sns.TopicSubscriptionArgs{
				Topic:    topic.Arn,
				Protocol: pulumi.String("email"),
				Endpoint: pulumi.String(email),
			}, pulumi.Parent(topic)); err != nil {
				return err
			}
		}

		ctx.Export("arn", topic.Arn)
		return nil
	})
}
