import { readdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { RunnerVariant } from "../../release/runner-image.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";
import { pins } from "../../toolchain/pins.ts";
import type { Places } from "../../toolchain/places.ts";
import type { Platform } from "../../toolchain/platforms.ts";
import { NOTES_VERSION, readyPulumiPlugins } from "../../toolchain/plugins/image-plugins.ts";
import { readyProgramImage, type ImageFile } from "../../toolchain/program-image.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { hostFiles } from "../module/tools-image.ts";
import type { LanguageChoice } from "./build-plan.ts";

/** Where an image of provided files has them, by the name of the download that they take the place of. */
const PROVIDED = "/provided";

/**
 * What this machine has of an image, for where the vendors' hosts cannot be reached: its own Pulumi, loopback language hosts in
 * place of the official ones, the provider of the examples as a plugin, and for tools its own kubectl. For tests.
 */
export async function readyProvidedImage(options: {
  readonly engine: Engine;
  readonly runtime: string;
  readonly variant: RunnerVariant;
  readonly platform: Platform;
  readonly pulumiVersion: string;
  readonly places: Places;
  readonly progress: Progress;
}): Promise<NonNullable<LanguageChoice["provided"]>> {
  const { engine, runtime, variant, platform, pulumiVersion, places, progress } = options;
  if (pulumiVersion !== pins.pulumi.version) {
    throw new KilnError("unreachable", `this machine has Pulumi ${pins.pulumi.version}, and not ${pulumiVersion}`, {
      mend: "Without --loopback-hosts that release is downloaded and checked.",
    });
  }
  const target = { places, progress, platform: platform.replace("/", "-") };
  const pulumi = await resolveTool("pulumi", target);
  const folder = path.dirname(pulumi.path);
  const own = hostFiles(runtime, await readdir(folder));
  const plugins = await readyPulumiPlugins(runtime, platform, { places, progress });
  const loopback = plugins
    .filter(({ to }) => to.startsWith("/usr/local/bin/"))
    .map(({ to, file }) => ({ file, name: path.basename(to) }));
  const hosts = own.length > 0 ? own.map((name) => ({ file: path.join(folder, name), name })) : loopback;
  if (hosts.length === 0) progress.note(`there is no loopback language host for ${runtime}: the image gets none`);
  const files: ImageFile[] = [
    { to: `${PROVIDED}/pulumi/pulumi`, file: pulumi.path },
    ...hosts.map(({ name, file }) => ({ to: `${PROVIDED}/pulumi/${name}`, file })),
    ...plugins
      .filter(({ to }) => !to.startsWith("/usr/local/bin/"))
      .map(({ file, to }) => ({
        file,
        to: `${PROVIDED}/plugins/resource-notes-v${NOTES_VERSION}/${path.basename(to)}`,
      })),
  ];
  if (variant === "tools") {
    const kubectl = await resolveTool("kubectl", target);
    files.push({ to: `${PROVIDED}/kubectl/file`, file: kubectl.path });
  }
  const image = await readyProgramImage(engine, { name: "kiln-language-provided", platform, files }, places);
  return { image, hosts: hosts.map(({ name }) => name), loopback: true };
}
