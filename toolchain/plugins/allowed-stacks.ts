import { isLocalStack } from "../local-stacks.ts";

/**
 * The official resource plugins that have a loopback stand-in here, each with the release that belongs to the SDK of
 * package.json.
 */
export const PLUGIN_VERSIONS = {
  aws: "7.48.0",
  docker: "5.2.0",
  github: "6.15.0",
  kubernetes: "4.34.2",
} as const;

export type LoopbackPlugin = keyof typeof PLUGIN_VERSIONS;

/** Whether loopback plugins may change a stack: those of this machine, and those of tests. */
export function isLoopbackStack(stack: string): boolean {
  return isLocalStack(stack) || stack.startsWith("test-");
}

/** Why a loopback plugin will not change `stack`; nothing when it may. Previews change nothing, so they need not ask. */
export function refusalOf(stack: string, plugin: LoopbackPlugin = "docker"): string | undefined {
  if (isLoopbackStack(stack)) return undefined;
  return (
    `stack ${stack} can be previewed but not changed here, because only kiln's loopback plugins are installed: ` +
    "install Pulumi from https://www.pulumi.com/docs/install/, " +
    `then the official plugin with \`pulumi plugin install resource ${plugin} ${PLUGIN_VERSIONS[plugin]}\``
  );
}

/** The stack of a resource, from `urn:pulumi:<stack>::<project>::<type>::<name>`. */
export function stackOfUrn(urn: string): string {
  return /^urn:pulumi:(.+?)::/.exec(urn)?.[1] ?? "";
}
