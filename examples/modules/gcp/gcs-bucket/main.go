// A Cloud Storage bucket with versioning, uniform access, no public access, and old versions deleted after 30 days.
package main

import (
	"github.com/pulumi/pulumi-gcp/sdk/v9/go/gcp/storage"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		bucket, err := storage.NewBucket(ctx, name, &storage.BucketArgs{
			Location:                 pulumi.String(settings.Require("location")),
			UniformBucketLevelAccess: pulumi.Bool(true),
			PublicAccessPrevention:   pulumi.String("enforced"),
			Versioning:               &storage.BucketVersioningArgs{Enabled: pulumi.Bool(true)},
			LifecycleRules: storage.BucketLifecycleRuleArray{
				&storage.BucketLifecycleRuleArgs{
					Action:    &storage.BucketLifecycleRuleActionArgs{Type: pulumi.String("Delete")},
					Condition: &storage.BucketLifecycleRuleConditionArgs{DaysSinceNoncurrentTime: pulumi.Int(30)},
				},
			},
		})
		if err != nil {
			return err
		}

		ctx.Export("url", bucket.Url)
		return nil
	})
}
