// A DNS zone with an address record, and an SPF record that says that no host sends mail for it.
package main

import (
	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const ttlSeconds = 300

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		zone := settings.Require("zone")

		domain, err := digitalocean.NewDomain(ctx, zone, &digitalocean.DomainArgs{Name: pulumi.String(zone)})
		if err != nil {
			return err
		}

		if _, err := digitalocean.NewDnsRecord(ctx, "www", &digitalocean.DnsRecordArgs{
			Domain: domain.Name,
			Name:   pulumi.String("www"),
			Type:   digitalocean.RecordTypeA,
			Value:  pulumi.String(settings.Require("address")),
			Ttl:    pulumi.Int(ttlSeconds),
		}, pulumi.Parent(domain)); err != nil {
			return err
		}

		if _, err := digitalocean.NewDnsRecord(ctx, "no-mail", &digitalocean.DnsRecordArgs{
			Domain: domain.Name,
			Name:   pulumi.String("@"),
			Type:   digitalocean.RecordTypeTXT,
			Value:  pulumi.String("v=spf1 -all"),
			Ttl:    pulumi.Int(ttlSeconds),
		}, pulumi.Parent(domain)); err != nil {
			return err
		}

		ctx.Export("urn", domain.DomainUrn)
		return nil
	})
}
