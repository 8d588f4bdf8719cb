import * as pulumi from "@pulumi/pulumi";

/** The secret under a configuration key such as `kiln:platformAppKey`: read here, so that no argument ever holds it. */
export function configSecret(key: string): pulumi.Output<string> {
  const [namespace = "", name = ""] = key.split(":");
  return new pulumi.Config(namespace).requireSecret(name);
}
