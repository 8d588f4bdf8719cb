import { KilnError } from "../../errors.ts";
import {
  RUNNER_LANGUAGES,
  RUNNER_VARIANTS,
  type RunnerLanguage,
  type RunnerVariant,
} from "../../release/runner-image.ts";
import { readLock, PLUGIN_LOCK } from "../../cache/plugins/lock.ts";
import { catalogue, type Archive } from "../../execution/language/catalogue.ts";
import type { LanguageImageRequest } from "../../execution/language/builder.ts";
import type { RunnerBase } from "../../release/runner-readiness.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { parseVersion } from "../../release/version.ts";
import { ownPlatform, PLATFORMS, type Platform } from "../../toolchain/platforms.ts";
import path from "node:path";
import type { Command, Invocation } from "../command.ts";
import { optional, repeated, required } from "../options.ts";

type Values = Invocation["values"];

/** Options that say what an image is made of. */
export const CONTENT: Command["options"] = {
  "pulumi-version": { type: "string" },
  platform: { type: "string" },
  cloud: { type: "string", multiple: true },
  plugin: { type: "string", multiple: true },
  uid: { type: "string" },
  gid: { type: "string" },
  "base-image": { type: "string" },
  source: { type: "string" },
  revision: { type: "string" },
  "loopback-hosts": { type: "boolean" },
};

/** The option that names what an image was built on, of the commands that take it out of the engine. */
export const BASE = { "base-image": { type: "string" } } as const;
export const BASE_HELP = { "base-image": "what the image was built on, by digest, in place of the catalogue's base" };

export const CONTENT_HELP: Command["help"] = {
  "pulumi-version": "the release of Pulumi inside (default: the pinned one)",
  platform: `${PLATFORMS.join(" or ")} (default: this machine's)`,
  cloud: "command-line tools of a cloud, for the variant tools: aws, azure; repeat it for several",
  plugin: `NAME@VERSION of a provider that runs find without a network, locked in ${PLUGIN_LOCK}; repeat it for several`,
  uid: "the user of the image (default: 1983)",
  gid: "its group (default: the uid)",
  "base-image": "what the image stands on, in place of the catalogue's",
  source: "address of the repository, for a label",
  revision: "the commit, for a label",
  "loopback-hosts":
    "put in what this machine has instead of downloads, for tests; such an image is marked and leaves no machine",
};

/** The language of `--language`. Throws a usage error on any other text. */
export function languageOf(values: Values): RunnerLanguage {
  return languageNamed(required(values, "language"));
}

export function languageNamed(name: string): RunnerLanguage {
  return oneOf("--language", name, RUNNER_LANGUAGES);
}

/** The variant of `--variant`; slim where it is left out. */
export function variantOf(values: Values): RunnerVariant {
  return variantNamed(optional(values, "variant") ?? "slim");
}

export function variantNamed(name: string): RunnerVariant {
  return oneOf("--variant", name, RUNNER_VARIANTS);
}

export function platformOf(values: Values): Platform {
  return oneOf("--platform", optional(values, "platform") ?? ownPlatform(), PLATFORMS);
}

/** The version of `--pulumi-version`, of three numbers; nothing where it is left out. */
export function pulumiVersionOf(values: Values): string | undefined {
  const text = optional(values, "pulumi-version");
  if (text === undefined || parseVersion(text) !== undefined) return text;
  throw new KilnError("usage", `--pulumi-version ${text} is no version`, {
    mend: "Write such as 3.253.0, without a v.",
  });
}

/** The base of a release: that of `--base-image`, or the catalogue's. Throws a usage error where the option names no image. */
export function baseOf(values: Values): RunnerBase {
  const named = optional(values, "base-image");
  return { baseDigest: named === undefined ? catalogue.base.digest : parseReference(named).digest };
}

/** What an image is asked to contain. Reads the lock of plugins where one is named. */
export async function readContent(
  values: Values,
  project: string,
  image: { readonly language: RunnerLanguage; readonly variant: RunnerVariant; readonly platform: Platform },
): Promise<LanguageImageRequest> {
  return {
    ...image,
    pulumiVersion: pulumiVersionOf(values),
    clouds: [...new Set(repeated(values, "cloud"))].sort(),
    plugins: await lockedPlugins(repeated(values, "plugin"), project, image.platform),
    uid: idOf(values, "uid"),
    gid: idOf(values, "gid"),
    baseImage: optional(values, "base-image"),
    source: optional(values, "source"),
    revision: optional(values, "revision"),
    loopbackHosts: values["loopback-hosts"] === true,
  };
}

async function lockedPlugins(named: readonly string[], project: string, platform: Platform) {
  const lock = named.length === 0 ? undefined : await readLock(path.join(project, PLUGIN_LOCK));
  const archives = named.map((text): readonly [string, Archive] => {
    const [, name, version] = /^([a-z][\w-]*)@v?(\d[\w.+-]*)$/.exec(text) ?? [];
    if (name === undefined || version === undefined) {
      throw new KilnError("usage", `--plugin ${text} is no NAME@VERSION`, { mend: "Write such as aws@7.48.0." });
    }
    const file = `pulumi-resource-${name}-v${version}`;
    const locked = lock?.archives[`${file}-${platform.replace("/", "-")}.tar.gz`];
    if (locked !== undefined) return [file, { url: locked.url, algorithm: "sha256", checksum: locked.sha256 }];
    throw new KilnError("usage", `${PLUGIN_LOCK} has no ${name} ${version} for ${platform}`, {
      mend: "`npx kiln cache plugins --update` locks what programs use.",
    });
  });
  return Object.fromEntries(archives);
}

function idOf(values: Values, name: "uid" | "gid"): number | undefined {
  const text = optional(values, name);
  if (text === undefined) return undefined;
  const id = Number(text);
  if (/^\d{1,10}$/.test(text) && id <= 4_294_967_294 && (id > 0 || name === "gid")) return id;
  throw new KilnError("usage", `--${name} ${text} is none for an image`, {
    mend: "Give a number; root is no user for it.",
  });
}

function oneOf<Name extends string>(option: string, name: string, names: readonly Name[]): Name {
  const known = names.find((one) => one === name);
  if (known !== undefined) return known;
  throw new KilnError("usage", `${option} ${name} is none that there is`, { mend: `Choose of: ${names.join(", ")}.` });
}
