/** The release of the official docker plugin that belongs to the @pulumi/docker of package.json. */
export const DOCKER_PLUGIN_VERSION = "5.2.0";

/** Whether loopback plugins may change a stack: `local`, and the stacks of tests. */
export function isLoopbackStack(stack: string): boolean {
  return stack === "local" || stack.startsWith("test-");
}

/** Why a loopback plugin will not change `stack`; nothing when it may. Previews change nothing, so they need not ask. */
export function refusalOf(stack: string): string | undefined {
  if (isLoopbackStack(stack)) return undefined;
  return (
    `stack ${stack} can be previewed but not changed here, because only kiln's loopback plugins are installed: ` +
    "install Pulumi from https://www.pulumi.com/docs/install/, " +
    `then the official plugin with \`pulumi plugin install resource docker ${DOCKER_PLUGIN_VERSION}\``
  );
}

/** The stack of a resource, from `urn:pulumi:<stack>::<project>::<type>::<name>`. */
export function stackOfUrn(urn: string): string {
  return /^urn:pulumi:(.+?)::/.exec(urn)?.[1] ?? "";
}
