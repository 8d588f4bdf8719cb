// A storage account that refuses plain HTTP, public blobs and shared keys, with a versioned private container.
package main

import (
	"github.com/pulumi/pulumi-azure-native-sdk/resources/v3"
	"github.com/pulumi/pulumi-azure-native-sdk/storage/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const keepDeletedDays = 30

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		name := config.New(ctx, "").Require("name")

		group, err := resources.NewResourceGroup(ctx, name, nil)
		if err != nil {
			return err
		}

		account, err := storage.NewStorageAccount(ctx, name, &storage.StorageAccountArgs{
			ResourceGroupName:      group.Name,
			Kind:                   pulumi.String(storage.KindStorageV2),
			Sku:                    &storage.SkuArgs{Name: pulumi.String(storage.SkuName_Standard_ZRS)},
			MinimumTlsVersion:      pulumi.String(storage.MinimumTlsVersion_TLS1_2),
			EnableHttpsTrafficOnly: pulumi.Bool(true),
			AllowBlobPublicAccess:  pulumi.Bool(false),
			AllowSharedKeyAccess:   pulumi.Bool(false),
		}, pulumi.Parent(group))
		if err != nil {
			return err
		}

		if _, err := storage.NewBlobServiceProperties(ctx, name, &storage.BlobServicePropertiesArgs{
			ResourceGroupName:   group.Name,
			AccountName:         account.Name,
			BlobServicesName:    pulumi.String("default"),
			IsVersioningEnabled: pulumi.Bool(true),
			DeleteRetentionPolicy: &storage.DeleteRetentionPolicyArgs{
				Enabled: pulumi.Bool(true),
				Days:    pulumi.Int(keepDeletedDays),
			},
		}, pulumi.Parent(account)); err != nil {
			return err
		}

		container, err := storage.NewBlobContainer(ctx, name, &storage.BlobContainerArgs{
			ResourceGroupName: group.Name,
			AccountName:       account.Name,
			PublicAccess:      storage.PublicAccessNone,
		}, pulumi.Parent(account))
		if err != nil {
			return err
		}

		ctx.Export("blobEndpoint", account.PrimaryEndpoints.Blob())
		ctx.Export("container", container.Name)
		return nil
	})
}
