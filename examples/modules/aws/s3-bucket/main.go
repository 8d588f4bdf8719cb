// A private S3 bucket with versioning, encryption at rest and every kind of public access blocked.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v7/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		name := config.New(ctx, "").Require("name")

		bucket, err := s3.NewBucket(ctx, name, &s3.BucketArgs{
			Tags: pulumi.StringMap{"managed-by": pulumi.String("pulumi")},
		})
		if err != nil {
			return err
		}

		if _, err := s3.NewBucketVersioning(ctx, name, &s3.BucketVersioningArgs{
			Bucket: bucket.Bucket,
			VersioningConfiguration: &s3.BucketVersioningVersioningConfigurationArgs{
				Status: pulumi.String("Enabled"),
			},
		}, pulumi.Parent(bucket)); err != nil {
			return err
		}

		if _, err := s3.NewBucketServerSideEncryptionConfiguration(ctx, name, &s3.BucketServerSideEncryptionConfigurationArgs{
			Bucket: bucket.Bucket,
			Rules: s3.BucketServerSideEncryptionConfigurationRuleArray{
				&s3.BucketServerSideEncryptionConfigurationRuleArgs{
					ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs{
						SseAlgorithm: pulumi.String("aws:kms"),
					},
					BucketKeyEnabled: pulumi.Bool(true),
				},
			},
		}, pulumi.Parent(bucket)); err != nil {
			return err
		}

		if _, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
			Bucket:                bucket.Bucket,
			BlockPublicAcls:       pulumi.Bool(true),
			BlockPublicPolicy:     pulumi.Bool(true),
			IgnorePublicAcls:      pulumi.Bool(true),
			RestrictPublicBuckets: pulumi.Bool(true),
		}, pulumi.Parent(bucket)); err != nil {
			return err
		}

		ctx.Export("bucket", bucket.Bucket)
		ctx.Export("arn", bucket.Arn)
		return nil
	})
}
