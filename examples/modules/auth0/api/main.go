// An API with a read and a write scope, enforced for each user, and a role that may read.
package main

import (
	"github.com/pulumi/pulumi-auth0/sdk/v3/go/auth0"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const (
	readScope            = "read:items"
	writeScope           = "write:items"
	tokenLifetimeSeconds = 60 * 60
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		api, err := auth0.NewResourceServer(ctx, name, &auth0.ResourceServerArgs{
			Name:            pulumi.String(name),
			Identifier:      pulumi.String(settings.Require("audience")),
			SigningAlg:      pulumi.String("RS256"),
			EnforcePolicies: pulumi.Bool(true),
			TokenDialect:    pulumi.String("access_token_authz"),
			TokenLifetime:   pulumi.Int(tokenLifetimeSeconds),
		})
		if err != nil {
			return err
		}

		scopes, err := auth0.NewResourceServerScopes(ctx, name, &auth0.ResourceServerScopesArgs{
			ResourceServerIdentifier: api.Identifier,
			Scopes: auth0.ResourceServerScopesScopeArray{
				&auth0.ResourceServerScopesScopeArgs{Name: pulumi.String(readScope)},
				&auth0.ResourceServerScopesScopeArgs{Name: pulumi.String(writeScope)},
			},
		}, pulumi.Parent(api))
		if err != nil {
			return err
		}

		reader, err := auth0.NewRole(ctx, name, &auth0.RoleArgs{
			Name: pulumi.Sprintf("%s reader", name),
		})
		if err != nil {
			return err
		}

		if _, err := auth0.NewRolePermissions(ctx, name, &auth0.RolePermissionsArgs{
			RoleId: reader.ID(),
			Permissions: auth0.RolePermissionsPermissionArray{
				&auth0.RolePermissionsPermissionArgs{
					ResourceServerIdentifier: scopes.ResourceServerIdentifier,
					Name:                     pulumi.String(readScope),
				},
			},
		}, pulumi.Parent(reader)); err != nil {
			return err
		}

		ctx.Export("audience", api.Identifier)
		ctx.Export("readerRoleId", reader.ID())
		return nil
	})
}
