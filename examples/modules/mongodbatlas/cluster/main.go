// A project with a replica set of three nodes, backed up and protected from deletion, open to one network.
package main

import (
	"github.com/pulumi/pulumi-mongodbatlas/sdk/v3/go/mongodbatlas"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const (
	nodes           = 3
	highestPriority = 7
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		project, err := mongodbatlas.NewProject(ctx, name, &mongodbatlas.ProjectArgs{
			OrgId: pulumi.String(settings.Require("organizationId")),
			Name:  pulumi.String(name),
		})
		if err != nil {
			return err
		}

		cluster, err := mongodbatlas.NewAdvancedCluster(ctx, name, &mongodbatlas.AdvancedClusterArgs{
			ProjectId:                    project.ID(),
			Name:                         pulumi.String(name),
			ClusterType:                  pulumi.String("REPLICASET"),
			BackupEnabled:                pulumi.Bool(true),
			TerminationProtectionEnabled: pulumi.Bool(true),
			AdvancedConfiguration: &mongodbatlas.AdvancedClusterAdvancedConfigurationArgs{
				JavascriptEnabled:         pulumi.Bool(false),
				MinimumEnabledTlsProtocol: pulumi.String("TLS1_2"),
			},
			ReplicationSpecs: mongodbatlas.AdvancedClusterReplicationSpecArray{
				&mongodbatlas.AdvancedClusterReplicationSpecArgs{
					RegionConfigs: mongodbatlas.AdvancedClusterReplicationSpecRegionConfigArray{
						&mongodbatlas.AdvancedClusterReplicationSpecRegionConfigArgs{
							ProviderName: pulumi.String("AWS"),
							RegionName:   pulumi.String(settings.Require("region")),
							Priority:     pulumi.Int(highestPriority),
							ElectableSpecs: &mongodbatlas.AdvancedClusterReplicationSpecRegionConfigElectableSpecsArgs{
								InstanceSize: pulumi.String("M10"),
								NodeCount:    pulumi.Int(nodes),
							},
						},
					},
				},
			},
		}, pulumi.Parent(project))
		if err != nil {
			return err
		}

		if _, err := mongodbatlas.NewProjectIpAccessList(ctx, name, &mongodbatlas.ProjectIpAccessListArgs{
			ProjectId: project.ID(),
			CidrBlock: pulumi.String(settings.Require("network")),
		}, pulumi.Parent(project)); err != nil {
			return err
		}

		ctx.Export("projectId", project.ID())
		ctx.Export("connectionStrings", cluster.ConnectionStrings)
		return nil
	})
}
