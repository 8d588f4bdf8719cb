// A DNS zone signed with DNSSEC, with a proxied address record, and an SPF record that says that no host sends mail for it.
package main

import (
	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const ttlSeconds = 300

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("zone")

		zone, err := cloudflare.NewZone(ctx, name, &cloudflare.ZoneArgs{
			AccountId: pulumi.String(settings.Require("accountId")),
			Zone:      pulumi.String(name),
		})
		if err != nil {
			return err
		}

		if _, err := cloudflare.NewRecord(ctx, "www", &cloudflare.RecordArgs{
			ZoneId:  zone.ID(),
			Name:    pulumi.String("www"),
			Type:    pulumi.String("A"),
			Content: pulumi.String(settings.Require("address")),
			Proxied: pulumi.Bool(true),
		}, pulumi.Parent(zone)); err != nil {
			return err
		}

		if _, err := cloudflare.NewRecord(ctx, "no-mail", &cloudflare.RecordArgs{
			ZoneId:  zone.ID(),
			Name:    pulumi.String(name),
			Type:    pulumi.String("TXT"),
			Content: pulumi.String("v=spf1 -all"),
			Ttl:     pulumi.Int(ttlSeconds),
		}, pulumi.Parent(zone)); err != nil {
			return err
		}

		dnssec, err := cloudflare.NewZoneDnssec(ctx, name, &cloudflare.ZoneDnssecArgs{
			ZoneId: zone.ID(),
		}, pulumi.Parent(zone))
		if err != nil {
			return err
		}

		ctx.Export("nameServers", zone.NameServers)
		ctx.Export("delegationSigner", dnssec.Ds)
		return nil
	})
}
