// A Secret Manager secret, replicated automatically, with its first version taken from a secret config value.
package main

import (
	"github.com/pulumi/pulumi-gcp/sdk/v9/go/gcp/secretmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		secret, err := secretmanager.NewSecret(ctx, name, &secretmanager.SecretArgs{
			SecretId:    pulumi.String(name),
			Replication: &secretmanager.SecretReplicationArgs{Auto: &secretmanager.SecretReplicationAutoArgs{}},
		})
		if err != nil {
			return err
		}

		if _, err := secretmanager.NewSecretVersion(ctx, name, &secretmanager.SecretVersionArgs{
			Secret:     secret.ID(),
			SecretData: settings.RequireSecret("value"),
		}, pulumi.Parent(secret)); err != nil {
			return err
		}

		ctx.Export("secretId", secret.SecretId)
		return nil
	})
}
