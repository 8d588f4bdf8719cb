// Firewall rules of an existing zone: one network alone reaches the admin path, and old TLS is refused.
package main

import (
	"fmt"

	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")
		zoneID := pulumi.String(settings.Require("zoneId"))

		ruleset, err := cloudflare.NewRuleset(ctx, name, &cloudflare.RulesetArgs{
			ZoneId: zoneID,
			Name:   pulumi.String(name),
			Kind:   pulumi.String("zone"),
			Phase:  pulumi.String("http_request_firewall_custom"),
			Rules: cloudflare.RulesetRuleArray{
				&cloudflare.RulesetRuleArgs{
					Description: pulumi.String("the admin path is for the admin network"),
					Action:      pulumi.String("block"),
					Enabled:     pulumi.Bool(true),
					Expression: pulumi.String(fmt.Sprintf("starts_with(http.request.uri.path, %q) and not ip.src in {%s}",
						settings.Require("adminPath"), settings.Require("adminNetwork"))),
				},
			},
		})
		if err != nil {
			return err
		}

		if _, err := cloudflare.NewZoneSettingsOverride(ctx, name, &cloudflare.ZoneSettingsOverrideArgs{
			ZoneId: zoneID,
			Settings: &cloudflare.ZoneSettingsOverrideSettingsArgs{
				AlwaysUseHttps: pulumi.String("on"),
				MinTlsVersion:  pulumi.String("1.2"),
			},
		}); err != nil {
			return err
		}

		ctx.Export("rulesetId", ruleset.ID())
		return nil
	})
}
