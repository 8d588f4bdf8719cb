// A warehouse that suspends itself after a minute without queries, or when its monthly credits are spent.
package main

import (
	"github.com/pulumi/pulumi-snowflake/sdk/go/snowflake"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const (
	idleSeconds    = 60
	notifyPercent  = 80
	suspendPercent = 100
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		monitor, err := snowflake.NewResourceMonitor(ctx, name, &snowflake.ResourceMonitorArgs{
			Name:           pulumi.String(name),
			CreditQuota:    pulumi.Int(settings.RequireInt("monthlyCredits")),
			NotifyTriggers: pulumi.ToIntArray([]int{notifyPercent}),
			SuspendTrigger: pulumi.Int(suspendPercent),
		})
		if err != nil {
			return err
		}

		warehouse, err := snowflake.NewWarehouse(ctx, name, &snowflake.WarehouseArgs{
			Name:               pulumi.String(name),
			WarehouseSize:      pulumi.String("XSMALL"),
			AutoSuspend:        pulumi.Int(idleSeconds),
			AutoResume:         pulumi.String("true"),
			InitiallySuspended: pulumi.Bool(true),
			ResourceMonitor:    monitor.Name,
		})
		if err != nil {
			return err
		}

		ctx.Export("warehouse", warehouse.Name)
		return nil
	})
}
