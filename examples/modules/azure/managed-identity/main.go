// A managed identity that GitHub Actions takes on by OpenID Connect, from one environment of one repository only.
package main

import (
	"github.com/pulumi/pulumi-azure-native-sdk/managedidentity/v3"
	"github.com/pulumi/pulumi-azure-native-sdk/resources/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		group, err := resources.NewResourceGroup(ctx, name, nil)
		if err != nil {
			return err
		}

		identity, err := managedidentity.NewUserAssignedIdentity(ctx, name, &managedidentity.UserAssignedIdentityArgs{
			ResourceGroupName: group.Name,
		}, pulumi.Parent(group))
		if err != nil {
			return err
		}

		if _, err := managedidentity.NewFederatedIdentityCredential(ctx, name, &managedidentity.FederatedIdentityCredentialArgs{
			ResourceGroupName: group.Name,
			ResourceName:      identity.Name,
			Issuer:            pulumi.String("https://token.actions.githubusercontent.com"),
			Audiences:         pulumi.ToStringArray([]string{"api://AzureADTokenExchange"}),
			Subject: pulumi.Sprintf("repo:%s:environment:%s",
				settings.Require("repository"), settings.Require("environment")),
		}, pulumi.Parent(identity)); err != nil {
			return err
		}

		ctx.Export("clientId", identity.ClientId)
		ctx.Export("tenantId", identity.TenantId)
		return nil
	})
}
