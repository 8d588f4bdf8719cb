// A Droplet with monitoring and backups, behind a firewall that admits SSH from one network only.
package main

import (
	"strconv"

	"github.com/pulumi/pulumi-digitalocean/sdk/v4/go/digitalocean"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		droplet, err := digitalocean.NewDroplet(ctx, name, &digitalocean.DropletArgs{
			Image:      pulumi.String("debian-12-x64"),
			Region:     pulumi.String(settings.Require("region")),
			Size:       pulumi.String("s-1vcpu-1gb"),
			Monitoring: pulumi.Bool(true),
			Backups:    pulumi.Bool(true),
		})
		if err != nil {
			return err
		}

		everywhere := pulumi.ToStringArray([]string{"0.0.0.0/0", "::/0"})
		if _, err := digitalocean.NewFirewall(ctx, name, &digitalocean.FirewallArgs{
			DropletIds: pulumi.IntArray{droplet.ID().ApplyT(func(id string) (int, error) {
				return strconv.Atoi(id)
			}).(pulumi.IntOutput)},
			InboundRules: digitalocean.FirewallInboundRuleArray{
				&digitalocean.FirewallInboundRuleArgs{
					Protocol:        pulumi.String("tcp"),
					PortRange:       pulumi.String("22"),
					SourceAddresses: pulumi.ToStringArray([]string{settings.Require("adminNetwork")}),
				},
			},
			OutboundRules: digitalocean.FirewallOutboundRuleArray{
				&digitalocean.FirewallOutboundRuleArgs{
					Protocol:             pulumi.String("tcp"),
					PortRange:            pulumi.String("1-65535"),
					DestinationAddresses: everywhere,
				},
				&digitalocean.FirewallOutboundRuleArgs{
					Protocol:             pulumi.String("udp"),
					PortRange:            pulumi.String("53"),
					DestinationAddresses: everywhere,
				},
			},
		}, pulumi.Parent(droplet)); err != nil {
			return err
		}

		ctx.Export("ipv4", droplet.Ipv4Address)
		return nil
	})
}
