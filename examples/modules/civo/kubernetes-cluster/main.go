// A Kubernetes cluster in its own network, behind a firewall that admits one network to the API and everyone to HTTPS.
package main

import (
	"github.com/pulumi/pulumi-civo/sdk/v2/go/civo"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const nodes = 3

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		network, err := civo.NewNetwork(ctx, name, &civo.NetworkArgs{Label: pulumi.String(name)})
		if err != nil {
			return err
		}

		everywhere := pulumi.ToStringArray([]string{"0.0.0.0/0"})
		firewall, err := civo.NewFirewall(ctx, name, &civo.FirewallArgs{
			NetworkId:          network.ID(),
			CreateDefaultRules: pulumi.Bool(false),
			IngressRules: civo.FirewallIngressRuleArray{
				&civo.FirewallIngressRuleArgs{
					Label:     pulumi.String("kubernetes-api"),
					Action:    pulumi.String("allow"),
					Protocol:  pulumi.String("tcp"),
					PortRange: pulumi.String("6443"),
					Cidrs:     pulumi.ToStringArray([]string{settings.Require("adminNetwork")}),
				},
				&civo.FirewallIngressRuleArgs{
					Label:     pulumi.String("https"),
					Action:    pulumi.String("allow"),
					Protocol:  pulumi.String("tcp"),
					PortRange: pulumi.String("443"),
					Cidrs:     everywhere,
				},
			},
			EgressRules: civo.FirewallEgressRuleArray{
				&civo.FirewallEgressRuleArgs{
					Label:     pulumi.String("all-tcp"),
					Action:    pulumi.String("allow"),
					Protocol:  pulumi.String("tcp"),
					PortRange: pulumi.String("1-65535"),
					Cidrs:     everywhere,
				},
				&civo.FirewallEgressRuleArgs{
					Label:     pulumi.String("dns"),
					Action:    pulumi.String("allow"),
					Protocol:  pulumi.String("udp"),
					PortRange: pulumi.String("53"),
					Cidrs:     everywhere,
				},
			},
		}, pulumi.Parent(network))
		if err != nil {
			return err
		}

		cluster, err := civo.NewKubernetesCluster(ctx, name, &civo.KubernetesClusterArgs{
			NetworkId:  network.ID(),
			FirewallId: firewall.ID(),
			Cni:        pulumi.String("cilium"),
			Pools: &civo.KubernetesClusterPoolsArgs{
				Size:      pulumi.String("g4s.kube.medium"),
				NodeCount: pulumi.Int(nodes),
			},
		}, pulumi.Parent(network))
		if err != nil {
			return err
		}

		ctx.Export("apiEndpoint", cluster.ApiEndpoint)
		return nil
	})
}
