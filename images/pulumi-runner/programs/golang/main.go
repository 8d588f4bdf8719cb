// A component and an output: enough to show that Go, its host and Pulumi work together without a network.
package main

import (
	"runtime"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type checked struct {
	pulumi.ResourceState
}

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		component := &checked{}
		if err := ctx.RegisterComponentResource("check:index:Checked", "checked", component); err != nil {
			return err
		}
		ctx.Export("version", pulumi.String(runtime.Version()))
		return nil
	})
}
