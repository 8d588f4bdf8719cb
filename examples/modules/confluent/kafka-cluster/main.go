// An environment with a Kafka cluster, and a service account that administers the cluster and nothing else.
package main

import (
	"github.com/pulumi/pulumi-confluentcloud/sdk/go/confluentcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		environment, err := confluentcloud.NewEnvironment(ctx, name, &confluentcloud.EnvironmentArgs{
			DisplayName: pulumi.String(name),
		})
		if err != nil {
			return err
		}

		cluster, err := confluentcloud.NewKafkaCluster(ctx, name, &confluentcloud.KafkaClusterArgs{
			DisplayName:  pulumi.String(name),
			Availability: pulumi.String("SINGLE_ZONE"),
			Cloud:        pulumi.String(settings.Require("cloud")),
			Region:       pulumi.String(settings.Require("region")),
			Standard:     &confluentcloud.KafkaClusterStandardArgs{},
			Environment:  &confluentcloud.KafkaClusterEnvironmentArgs{Id: environment.ID()},
		}, pulumi.Parent(environment))
		if err != nil {
			return err
		}

		admin, err := confluentcloud.NewServiceAccount(ctx, name, &confluentcloud.ServiceAccountArgs{
			DisplayName: pulumi.Sprintf("%s-admin", name),
		})
		if err != nil {
			return err
		}

		if _, err := confluentcloud.NewRoleBinding(ctx, name, &confluentcloud.RoleBindingArgs{
			Principal:  pulumi.Sprintf("User:%s", admin.ID()),
			RoleName:   pulumi.String("CloudClusterAdmin"),
			CrnPattern: cluster.RbacCrn,
		}, pulumi.Parent(admin)); err != nil {
			return err
		}

		ctx.Export("clusterId", cluster.ID())
		ctx.Export("bootstrapEndpoint", cluster.BootstrapEndpoint)
		ctx.Export("restEndpoint", cluster.RestEndpoint)
		ctx.Export("adminId", admin.ID())
		return nil
	})
}
