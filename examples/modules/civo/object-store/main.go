// An object store with a credential of its own, whose secret key leaves the stack as a secret only.
package main

import (
	"github.com/pulumi/pulumi-civo/sdk/v2/go/civo"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const gigabytes = 500

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		name := config.New(ctx, "").Require("name")

		credential, err := civo.NewObjectStoreCredential(ctx, name, nil,
			pulumi.AdditionalSecretOutputs([]string{"secretAccessKey"}))
		if err != nil {
			return err
		}

		store, err := civo.NewObjectStore(ctx, name, &civo.ObjectStoreArgs{
			AccessKeyId: credential.AccessKeyId,
			MaxSizeGb:   pulumi.Int(gigabytes),
		})
		if err != nil {
			return err
		}

		ctx.Export("bucketUrl", store.BucketUrl)
		ctx.Export("accessKeyId", credential.AccessKeyId)
		ctx.Export("secretAccessKey", pulumi.ToSecret(credential.SecretAccessKey))
		return nil
	})
}
