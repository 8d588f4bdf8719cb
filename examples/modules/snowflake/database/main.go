// A database with one schema, and a role that reads every table made there.
package main

import (
	"github.com/pulumi/pulumi-snowflake/sdk/go/snowflake"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const timeTravelDays = 1

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		database, err := snowflake.NewDatabase(ctx, name, &snowflake.DatabaseArgs{
			Name:                       pulumi.String(name),
			DataRetentionTimeInDays:    pulumi.Int(timeTravelDays),
			DropPublicSchemaOnCreation: pulumi.Bool(true),
		})
		if err != nil {
			return err
		}

		schema, err := snowflake.NewSchema(ctx, name, &snowflake.SchemaArgs{
			Database:          database.Name,
			Name:              pulumi.String(settings.Require("schema")),
			WithManagedAccess: pulumi.String("true"),
		}, pulumi.Parent(database))
		if err != nil {
			return err
		}

		reader, err := snowflake.NewAccountRole(ctx, name, &snowflake.AccountRoleArgs{
			Name: pulumi.Sprintf("%s_READER", name),
		})
		if err != nil {
			return err
		}

		usage := pulumi.ToStringArray([]string{"USAGE"})
		if _, err := snowflake.NewGrantPrivilegesToAccountRole(ctx, "database", &snowflake.GrantPrivilegesToAccountRoleArgs{
			AccountRoleName: reader.Name,
			Privileges:      usage,
			OnAccountObject: &snowflake.GrantPrivilegesToAccountRoleOnAccountObjectArgs{
				ObjectType: pulumi.String("DATABASE"),
				ObjectName: database.Name,
			},
		}, pulumi.Parent(reader)); err != nil {
			return err
		}

		if _, err := snowflake.NewGrantPrivilegesToAccountRole(ctx, "schema", &snowflake.GrantPrivilegesToAccountRoleArgs{
			AccountRoleName: reader.Name,
			Privileges:      usage,
			OnSchema: &snowflake.GrantPrivilegesToAccountRoleOnSchemaArgs{
				SchemaName: schema.FullyQualifiedName,
			},
		}, pulumi.Parent(reader)); err != nil {
			return err
		}

		if _, err := snowflake.NewGrantPrivilegesToAccountRole(ctx, "tables", &snowflake.GrantPrivilegesToAccountRoleArgs{
			AccountRoleName: reader.Name,
			Privileges:      pulumi.ToStringArray([]string{"SELECT"}),
			OnSchemaObject: &snowflake.GrantPrivilegesToAccountRoleOnSchemaObjectArgs{
				Future: &snowflake.GrantPrivilegesToAccountRoleOnSchemaObjectFutureArgs{
					ObjectTypePlural: pulumi.String("TABLES"),
					InSchema:         schema.FullyQualifiedName,
				},
			},
		}, pulumi.Parent(reader)); err != nil {
			return err
		}

		ctx.Export("schema", schema.FullyQualifiedName)
		ctx.Export("reader", reader.Name)
		return nil
	})
}
