import { readdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";
import type { Places } from "../../toolchain/places.ts";
import {
  LOOPBACK_RUNTIMES,
  MIRROR_SETTINGS,
  readyPulumiPlugins,
  readyTofuProviders,
} from "../../toolchain/plugins/image-plugins.ts";
import { readyProgramImage, type ImageFile } from "../../toolchain/program-image.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { ModuleKind } from "./kind.ts";

export interface ToolsOptions {
  readonly engine: Engine;
  readonly kind: Pick<ModuleKind, "tool" | "runtime">;
  /** What it shall run on: `linux/arm64`. */
  readonly platform: string;
  /** Put kiln's loopback hosts and providers in, whether or not the official ones are there. */
  readonly loopbackHosts: boolean;
  readonly places: Places;
  readonly progress: Progress;
}

/**
 * An image in the engine with the pinned tool of a module below /usr/local, and of Pulumi the language host of its runtime.
 * Throws where there is no such host and loopback ones are not asked for.
 */
export async function readyToolsImage(options: ToolsOptions): Promise<string> {
  const files = options.kind.tool === "opentofu" ? await tofuFiles(options) : await pulumiFiles(options);
  const names = files.map(({ to }) => to).sort();
  const content = { to: "/usr/local/lib/kiln/tools.json", text: `${JSON.stringify({ files: names }, null, 2)}\n` };
  const image = { name: "kiln-module-tools", platform: options.platform, files: [...files, content] };
  return readyProgramImage(options.engine, image, options.places);
}

async function tofuFiles(options: ToolsOptions): Promise<readonly ImageFile[]> {
  const { platform, places, progress } = options;
  const tofu = await resolveTool("opentofu", { places, progress, platform: platform.replace("/", "-") });
  const program = { to: "/usr/local/bin/tofu", file: tofu.path };
  if (!options.loopbackHosts) return [program];
  const settings = { to: "/usr/local/lib/kiln/tofu.rc", text: MIRROR_SETTINGS };
  return [program, settings, ...(await readyTofuProviders(platform, options))];
}

async function pulumiFiles(options: ToolsOptions): Promise<readonly ImageFile[]> {
  const { kind, platform, loopbackHosts, places, progress } = options;
  const pulumi = await resolveTool("pulumi", { places, progress, platform: platform.replace("/", "-") });
  const folder = path.dirname(pulumi.path);
  const program = { to: "/usr/local/bin/pulumi", file: pulumi.path };
  if (loopbackHosts) {
    if ((LOOPBACK_RUNTIMES as readonly string[]).includes(kind.runtime)) {
      return [program, ...(await readyPulumiPlugins(kind.runtime, platform, options))];
    }
    throw new KilnError("usage", `there is no loopback language host for ${kind.runtime}`, {
      mend: `They are for ${LOOPBACK_RUNTIMES.join(", ")}. Without --loopback-hosts the official one is taken.`,
    });
  }
  const hosts = hostFiles(kind.runtime, await readdir(folder));
  if (hosts.length > 0) {
    return [program, ...hosts.map((name) => ({ to: `/usr/local/bin/${name}`, file: path.join(folder, name) }))];
  }
  throw new KilnError("unreachable", `Pulumi ${pulumi.version} came without pulumi-language-${kind.runtime}`, {
    mend: "Let this machine reach get.pulumi.com, or install that release of Pulumi on PATH. For tests only: --loopback-hosts.",
  });
}

/** What of an official release a runtime needs: its host, what that starts, and the provider of dynamic resources. */
export function hostFiles(runtime: string, names: readonly string[]): readonly string[] {
  const wanted = new RegExp(
    `^(pulumi-language-${runtime}(-exec)?|pulumi-${runtime}-shim|pulumi-resource-pulumi-${runtime}|pulumi-analyzer-policy(-${runtime})?)$`,
  );
  const found = names.filter((name) => wanted.test(name)).sort();
  return found.includes(`pulumi-language-${runtime}`) ? found : [];
}
