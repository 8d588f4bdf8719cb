// An ECR repository with immutable tags, a scan at every push, and expiry of untagged images after two weeks.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v7/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const expireUntagged = `{"rules":[{"rulePriority":1,"description":"expire untagged images",
"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},
"action":{"type":"expire"}}]}`

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		name := config.New(ctx, "").Require("name")

		repository, err := ecr.NewRepository(ctx, name, &ecr.RepositoryArgs{
			ImageTagMutability: pulumi.String("IMMUTABLE"),
			ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{
				ScanOnPush: pulumi.Bool(true),
			},
			EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{
				&ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("KMS")},
			},
		})
		if err != nil {
			return err
		}

		if _, err := ecr.NewLifecyclePolicy(ctx, name, &ecr.LifecyclePolicyArgs{
			Repository: repository.Name,
			Policy:     pulumi.String(expireUntagged),
		}, pulumi.Parent(repository)); err != nil {
			return err
		}

		ctx.Export("url", repository.RepositoryUrl)
		return nil
	})
}
