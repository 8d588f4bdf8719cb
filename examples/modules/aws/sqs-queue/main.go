// An encrypted SQS queue whose messages move to a dead-letter queue after five failed receives.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v7/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const (
	maxReceives          = 5
	fourteenDaysSeconds  = 14 * 24 * 60 * 60
	visibilityTimeoutSec = 60
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		name := config.New(ctx, "").Require("name")

		deadLetters, err := sqs.NewQueue(ctx, name+"-dead-letters", &sqs.QueueArgs{
			MessageRetentionSeconds: pulumi.Int(fourteenDaysSeconds),
			SqsManagedSseEnabled:    pulumi.Bool(true),
		})
		if err != nil {
			return err
		}

		queue, err := sqs.NewQueue(ctx, name, &sqs.QueueArgs{
			SqsManagedSseEnabled:     pulumi.Bool(true),
			VisibilityTimeoutSeconds: pulumi.Int(visibilityTimeoutSec),
			RedrivePolicy: pulumi.JSONMarshal(pulumi.Map{
				"deadLetterTargetArn": deadLetters.Arn,
				"maxReceiveCount":     pulumi.Int(maxReceives),
			}),
		})
		if err != nil {
			return err
		}

		ctx.Export("url", queue.Url)
		ctx.Export("deadLettersUrl", deadLetters.Url)
		return nil
	})
}
