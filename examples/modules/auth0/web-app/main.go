// A single-page application that signs users in with the code flow and rotates its refresh tokens.
package main

import (
	"github.com/pulumi/pulumi-auth0/sdk/v3/go/auth0"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const tokenLifetimeSeconds = 14 * 24 * 60 * 60

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")
		origin := settings.Require("origin")

		client, err := auth0.NewClient(ctx, name, &auth0.ClientArgs{
			Name:              pulumi.String(name),
			AppType:           pulumi.String("spa"),
			OidcConformant:    pulumi.Bool(true),
			GrantTypes:        pulumi.ToStringArray([]string{"authorization_code", "refresh_token"}),
			Callbacks:         pulumi.ToStringArray([]string{origin + "/callback"}),
			AllowedLogoutUrls: pulumi.ToStringArray([]string{origin}),
			WebOrigins:        pulumi.ToStringArray([]string{origin}),
			JwtConfiguration:  &auth0.ClientJwtConfigurationArgs{Alg: pulumi.String("RS256")},
			RefreshToken: &auth0.ClientRefreshTokenArgs{
				RotationType:   pulumi.String("rotating"),
				ExpirationType: pulumi.String("expiring"),
				TokenLifetime:  pulumi.Int(tokenLifetimeSeconds),
			},
		})
		if err != nil {
			return err
		}

		ctx.Export("clientId", client.ClientId)
		return nil
	})
}
