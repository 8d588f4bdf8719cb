// A topic of an existing Kafka cluster that keeps its messages for a week, made with an API key from secret config values.
package main

import (
	"strconv"
	"time"

	"github.com/pulumi/pulumi-confluentcloud/sdk/go/confluentcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const (
	partitions = 6
	retention  = 7 * 24 * time.Hour
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		topic, err := confluentcloud.NewKafkaTopic(ctx, name, &confluentcloud.KafkaTopicArgs{
			TopicName:       pulumi.String(name),
			PartitionsCount: pulumi.Int(partitions),
			RestEndpoint:    pulumi.String(settings.Require("restEndpoint")),
			KafkaCluster:    &confluentcloud.KafkaTopicKafkaClusterArgs{Id: pulumi.String(settings.Require("clusterId"))},
			Credentials: &confluentcloud.KafkaTopicCredentialsArgs{
				Key:    settings.RequireSecret("apiKey"),
				Secret: settings.RequireSecret("apiSecret"),
			},
			Config: pulumi.StringMap{
				"cleanup.policy": pulumi.String("delete"),
				"retention.ms":   pulumi.String(strconv.FormatInt(retention.Milliseconds(), 10)),
			},
		})
		if err != nil {
			return err
		}

		ctx.Export("topic", topic.TopicName)
		return nil
	})
}
