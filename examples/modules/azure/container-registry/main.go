// A container registry that only Entra identities can use: no admin user, no anonymous pulls.
package main

import (
	"github.com/pulumi/pulumi-azure-native-sdk/containerregistry/v3"
	"github.com/pulumi/pulumi-azure-native-sdk/resources/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		name := config.New(ctx, "").Require("name")

		group, err := resources.NewResourceGroup(ctx, name, nil)
		if err != nil {
			return err
		}

		registry, err := containerregistry.NewRegistry(ctx, name, &containerregistry.RegistryArgs{
			ResourceGroupName:    group.Name,
			Sku:                  &containerregistry.SkuArgs{Name: pulumi.String(containerregistry.SkuNameStandard)},
			AdminUserEnabled:     pulumi.Bool(false),
			AnonymousPullEnabled: pulumi.Bool(false),
		}, pulumi.Parent(group))
		if err != nil {
			return err
		}

		ctx.Export("loginServer", registry.LoginServer)
		return nil
	})
}
