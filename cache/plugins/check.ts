import { KilnError, messageOf } from "../../errors.ts";
import { runOffline, type ContainerEngine } from "../../execution/offline-container.ts";
import { pluginLabel, type Plugin } from "./plugin.ts";

/**
 * Lets the Pulumi CLI inside an image list its plugins, without network and as the default user. `platform` as Docker
 * spells it. Throws a KilnError that names every plugin that was baked and that it does not find.
 */
export async function verifyPlugins(
  engine: ContainerEngine,
  image: string,
  plugins: readonly Plugin[],
  platform?: string,
): Promise<void> {
  if (plugins.length === 0) return;
  const { stdout } = await runOffline(engine, { image, platform, command: ["pulumi", "plugin", "ls", "--json"] });
  const found = new Set(parsePlugins(stdout).map(pluginLabel));
  const missing = plugins.map(pluginLabel).filter((plugin) => !found.has(plugin));
  if (missing.length === 0) return;
  throw new KilnError("difference", `Pulumi in ${image} does not find the plugins ${missing.join(", ")}`, {
    mend: "The image was composed but is neither tagged nor written to the stack. Its PULUMI_HOME must lead to the plugins: bake on a base of images/iac-runner.",
  });
}

/** The resource plugins that `pulumi plugin ls --json` printed. */
export function parsePlugins(text: string): readonly Plugin[] {
  try {
    const listed = JSON.parse(text) as readonly { name: string; kind: string; version?: string }[];
    return listed
      .filter(({ kind }) => kind === "resource")
      .map(({ name, version = "" }) => ({ name, version: version.replace(/^v/, "") }));
  } catch (cause) {
    throw new KilnError("failed", `pulumi plugin ls printed no list: ${messageOf(cause)}`, { cause });
  }
}
