// A Pub/Sub topic with a subscription whose undeliverable messages go to a dead-letter topic.
package main

import (
	"github.com/pulumi/pulumi-gcp/sdk/v9/go/gcp/pubsub"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		name := config.New(ctx, "").Require("name")

		topic, err := pubsub.NewTopic(ctx, name, &pubsub.TopicArgs{
			MessageRetentionDuration: pulumi.String("86400s"),
		})
		if err != nil {
			return err
		}

		deadLetters, err := pubsub.NewTopic(ctx, name+"-dead-letters", nil)
		if err != nil {
			return err
		}

		subscription, err := pubsub.NewSubscription(ctx, name, &pubsub.SubscriptionArgs{
			Topic:              topic.ID(),
			AckDeadlineSeconds: pulumi.Int(30),
			DeadLetterPolicy: &pubsub.SubscriptionDeadLetterPolicyArgs{
				DeadLetterTopic:     deadLetters.ID(),
				MaxDeliveryAttempts: pulumi.Int(5),
			},
		}, pulumi.Parent(topic))
		if err != nil {
			return err
		}

		ctx.Export("topic", topic.Name)
		ctx.Export("subscription", subscription.Name)
		return nil
	})
}
