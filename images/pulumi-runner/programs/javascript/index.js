// A component and an output: enough to show that Node, its host and Pulumi work together without a network.
import * as pulumi from "@pulumi/pulumi";

class Checked extends pulumi.ComponentResource {
  constructor(name) {
    super("check:index:Checked", name);
    this.registerOutputs({});
  }
}

new Checked("checked");

export const version = process.version;
