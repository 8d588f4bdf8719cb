import path from "node:path";
import type { Progress } from "../../progress.ts";
import { readyGoPrograms, type GoPrograms } from "../go-programs.ts";
import type { Places } from "../places.ts";
import { resolveTool } from "../resolve.ts";

/** Runtimes that have a loopback language host for images; the one program takes its name's part. */
export const LOOPBACK_RUNTIMES = ["nodejs", "python", "go"] as const;

/** A file of a folder of finished programs, and where an image has it. */
export interface ImageProgram {
  readonly file: string;
  readonly to: string;
}

const PULUMI: GoPrograms = {
  name: "image-plugins",
  source: path.join(import.meta.dirname, "image-plugins"),
  packages: ["./..."],
  what: "the loopback language hosts for images, and the provider of the examples",
};

const TOFU: GoPrograms = {
  name: "tofu-providers",
  source: path.join(import.meta.dirname, "tofu-providers"),
  packages: ["github.com/terraform-providers/terraform-provider-local"],
  what: "OpenTofu's provider hashicorp/local",
};

/** The release that the module of `TOFU` is the source of. */
const LOCAL_PROVIDER = "registry.opentofu.org/hashicorp/local/2.9.0";

/** What the provider of the examples says of itself. */
export const NOTES_VERSION = "0.1.0";

/** Where an image of tools has provider plugins that builds need not fetch, laid out as below PULUMI_HOME. */
export const PLUGINS_PATH = "/usr/local/lib/kiln/plugins";

/** Where an image of tools has a file-system mirror of providers; its tofu.rc names it. */
export const MIRROR_PATH = "/usr/local/lib/kiln/providers";

/**
 * What an image for Pulumi gets where the official plugins cannot be had: the language host of a runtime and the provider of
 * the examples, as static programs for `platform` (`linux/arm64`). Empty of hosts for a runtime that has none.
 */
export async function readyPulumiPlugins(
  runtime: string,
  platform: string,
  at: { readonly places: Places; readonly progress: Progress },
): Promise<readonly ImageProgram[]> {
  const home = await built(PULUMI, platform, at);
  const host = (LOOPBACK_RUNTIMES as readonly string[]).includes(runtime)
    ? [{ file: path.join(home, "pulumi-language-loopback"), to: `/usr/local/bin/pulumi-language-${runtime}` }]
    : [];
  const folder = `${PLUGINS_PATH}/resource-notes-v${NOTES_VERSION}`;
  const notes = { file: path.join(home, "pulumi-resource-notes"), to: `${folder}/pulumi-resource-notes` };
  return [...host, notes];
}

/** The mirror of providers that builds of OpenTofu modules get where no provider registry can be reached. */
export async function readyTofuProviders(
  platform: string,
  at: { readonly places: Places; readonly progress: Progress },
): Promise<readonly ImageProgram[]> {
  const home = await built(TOFU, platform, at);
  const folder = `${MIRROR_PATH}/${LOCAL_PROVIDER}/${platform.replace("/", "_")}`;
  return [{ file: path.join(home, "terraform-provider-local"), to: `${folder}/terraform-provider-local` }];
}

/** OpenTofu's settings for that mirror: the providers that it has come from there alone, the others from their registry. */
export const MIRROR_SETTINGS = `provider_installation {
  filesystem_mirror {
    path    = "${MIRROR_PATH}"
    include = ["registry.opentofu.org/hashicorp/local"]
  }
  direct {
    exclude = ["registry.opentofu.org/hashicorp/local"]
  }
}
`;

async function built(
  programs: GoPrograms,
  platform: string,
  { places, progress }: { readonly places: Places; readonly progress: Progress },
): Promise<string> {
  const go = await resolveTool("go", { places, progress });
  return readyGoPrograms(programs, go, platform.replace("/", "-"), { places, progress });
}
