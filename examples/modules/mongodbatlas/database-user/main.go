// A database user that reads and writes one database of one cluster, with its password taken from a secret config value.
package main

import (
	"github.com/pulumi/pulumi-mongodbatlas/sdk/v3/go/mongodbatlas"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		user, err := mongodbatlas.NewDatabaseUser(ctx, name, &mongodbatlas.DatabaseUserArgs{
			ProjectId:        pulumi.String(settings.Require("projectId")),
			Username:         pulumi.String(name),
			Password:         settings.RequireSecret("password"),
			AuthDatabaseName: pulumi.String("admin"),
			Roles: mongodbatlas.DatabaseUserRoleArray{
				&mongodbatlas.DatabaseUserRoleArgs{
					RoleName:     pulumi.String("readWrite"),
					DatabaseName: pulumi.String(settings.Require("database")),
				},
			},
			Scopes: mongodbatlas.DatabaseUserScopeArray{
				&mongodbatlas.DatabaseUserScopeArgs{
					Type: pulumi.String("CLUSTER"),
					Name: pulumi.String(settings.Require("cluster")),
				},
			},
		})
		if err != nil {
			return err
		}

		ctx.Export("username", user.Username)
		return nil
	})
}
