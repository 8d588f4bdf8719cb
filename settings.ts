import { isBuildTag } from "./cache/contract.ts";
import { KilnError } from "./errors.ts";
import { isImageReference, isTag, parsePinnedImage, referrersTag } from "./registry/image-reference.ts";
import { DEFAULT_BASE_IMAGE } from "./toolchain/pins.ts";
import { PLATFORMS, type Platform } from "./toolchain/platforms.ts";

export type { Platform };
import { isRegistry } from "./registry/repository-names.ts";

/** What one stack says, checked and complete. Every default of the project stands in `parseSettings`. */
export interface Settings {
  readonly stack: string;
  /** Where images live: a loopback `host:port`, or `ghcr.io/<owner>/<repository>`. */
  readonly registry: string;
  /** `repository@sha256:…`, written by `kiln cache bake` or `kiln release promote`; nothing before the first of them. */
  readonly warmImage: string | undefined;
  readonly image: ImageSettings;
  readonly source: SourceSettings;
  /** Build the image during previews too, to see a broken Dockerfile before `up`. */
  readonly buildOnPreview: boolean;
}

export interface ImageSettings {
  /** `merged` labels the warm image; `standalone` warms the caches inside the docker build. */
  readonly dockerfile: "merged" | "standalone";
  readonly platform: Platform;
  readonly tag: string;
  /** What the runner's base stage is made from. */
  readonly base: string;
  /** An image that holds the tools a standalone build would download otherwise. */
  readonly tools: string | undefined;
  /** An image with `/ca.crt`, which a standalone build's downloads trust; in no layer. `docker.Image` has no secrets. */
  readonly certificates: string | undefined;
  /**
   * What a bake does about Pulumi's provider plugins. `none`, the default, bakes none: a bake then needs package registries
   * alone, and nobody has vouched yet for the checksums that `layer` asks for. `volume` says that one is mounted for them.
   */
  readonly plugins: PluginMode;
}

export type PluginMode = (typeof PLUGIN_MODES)[number];

export interface SourceSettings {
  /** The checkout that holds the Go programs, relative to this project. */
  readonly path: string;
  /** Where they are below it, with `{provider}` and `{module}`. */
  readonly modules: string;
  /** Build tags, which the image has in GOFLAGS. */
  readonly tags: readonly string[];
}

/** How a stack's runner image is made. */
export type Recipe =
  | { readonly kind: "merged"; readonly warmImage: string; readonly verification: Verification }
  | {
      readonly kind: "standalone";
      readonly base: string;
      readonly modules: string;
      readonly tools: string | undefined;
      readonly certificates: string | undefined;
    };

/** Where the record of a warm image's offline check stands, and how to repeat the check. */
export interface Verification {
  readonly of: string;
  readonly record: string;
  readonly command: string;
}

const DOCKERFILES = ["merged", "standalone"] as const;
const PLUGIN_MODES = ["none", "layer", "volume"] as const;
const KEYS = {
  kiln: ["registry", "warmImage", "image", "source", "buildOnPreview"],
  image: ["dockerfile", "platform", "tag", "base", "tools", "certificates", "plugins"],
  source: ["path", "modules", "tags"],
} as const;

/**
 * The settings of a stack from its configuration: keys without the namespace, values as the stack file has them or as
 * the text that Pulumi hands to a program. Throws a usage error that names the file, the key and what to write there.
 */
export function parseSettings(stack: string, raw: Readonly<Record<string, unknown>>): Settings {
  const file = stackFile(stack);
  const kiln = section({ file, key: "kiln:", value: raw }, KEYS.kiln);
  const image = section(kiln("image"), KEYS.image);
  const source = section(kiln("source"), KEYS.source);
  const settings: Settings = {
    stack,
    registry: registryOf(kiln("registry")),
    warmImage: warmImageOf(kiln("warmImage")),
    image: Object.freeze({
      dockerfile: choiceOf(image("dockerfile"), DOCKERFILES, "merged"),
      platform: choiceOf(image("platform"), PLATFORMS, "linux/amd64"),
      tag: tagOf(image("tag"), "latest"),
      base: referenceOf(image("base")) ?? DEFAULT_BASE_IMAGE,
      tools: referenceOf(image("tools")),
      certificates: referenceOf(image("certificates")),
      plugins: choiceOf(image("plugins"), PLUGIN_MODES, "none"),
    }),
    source: Object.freeze({
      path: pathOf(source("path"), "."),
      modules: patternOf(source("modules"), "examples/modules/{provider}/{module}"),
      tags: Object.freeze(tagsOf(source("tags"))),
    }),
    buildOnPreview: flagOf(kiln("buildOnPreview"), false),
  };
  if (settings.image.dockerfile === "standalone") requireBuildable(settings, image, source);
  return Object.freeze(settings);
}

/** Throws where a standalone image, which a docker build of this project makes, cannot be what the settings say. */
function requireBuildable(
  settings: Pick<Settings, "image" | "source">,
  image: (name: "platform" | "plugins") => Field,
  source: (name: "path" | "tags") => Field,
): void {
  const standalone = "when kiln:image.dockerfile is standalone";
  const { platform, plugins, tools } = settings.image;
  if (settings.source.path !== ".") {
    throw refusal(source("path"), `must be . ${standalone}`, {
      mend: "A docker build sees this project only: copy the programs into it, or set kiln:image.dockerfile to merged",
    });
  }
  if (settings.source.tags.length > 0) {
    throw refusal(source("tags"), `cannot be set ${standalone}`, {
      mend: "A docker build takes no build tags: remove them, or bake: kiln:image.dockerfile: merged",
    });
  }
  if (plugins === "layer") {
    throw refusal(image("plugins"), `cannot be layer ${standalone}`, {
      mend: "A docker build bakes no plugins: set it to none or volume, or bake: kiln:image.dockerfile: merged",
    });
  }
  if (platform === "linux/arm64" && tools === undefined) {
    throw refusal(image("platform"), "cannot be linux/arm64 for a standalone image without kiln:image.tools", {
      mend:
        "The Dockerfile's checksums are those of linux/amd64's tools: set kiln:image.tools to an image that holds " +
        "linux/arm64's, or bake: kiln:image.dockerfile: merged",
    });
  }
}

/** The committed file of a stack, relative to the project. */
export function stackFile(stack: string): string {
  return `stacks/Pulumi.${stack}.yaml`;
}

/** The stack's warm image. Throws a usage error of one sentence that names the commands which set one. */
export function requireWarmImage(settings: Settings): string {
  if (settings.warmImage !== undefined) return settings.warmImage;
  const { stack } = settings;
  throw new KilnError(
    "usage",
    `no warm image is set for stack ${stack}: bake one with \`npx kiln cache bake --stack ${stack}\`, ` +
      `or take a verified one from another stack with \`npx kiln release promote --from <stack> --to ${stack}\``,
  );
}

/** How the stack's runner image is made. Throws as `requireWarmImage` does; a standalone image needs no warm image. */
export function recipeOf(settings: Settings): Recipe {
  if (settings.image.dockerfile === "merged") {
    const warmImage = requireWarmImage(settings);
    return { kind: "merged", warmImage, verification: verificationOf(warmImage, settings.source) };
  }
  return {
    kind: "standalone",
    base: settings.image.base,
    modules: settings.source.modules,
    tools: settings.image.tools,
    certificates: settings.image.certificates,
  };
}

/** Where the offline check of `warmImage` (`repository@sha256:…`) is recorded, and the command that repeats it. */
export function verificationOf(warmImage: string, source: SourceSettings): Verification {
  const image = parsePinnedImage(warmImage);
  if (image === undefined) throw new KilnError("usage", `${warmImage} is not of the form repository@sha256:…`);
  const tags = source.tags.length > 0 ? ` --tags ${source.tags.join(",")}` : "";
  return {
    of: warmImage,
    record: `${image.repository}:${referrersTag(image.digest)}`,
    command: `npx kiln cache verify --image ${warmImage} --source ${source.path} --modules '${source.modules}'${tags}`,
  };
}

/** One value and where it stands. */
interface Field {
  readonly file: string;
  readonly key: string;
  readonly value: unknown;
}

/** A function that gives each field of an object by name, once every name in the object is known to be one of `names`. */
function section<Name extends string>(parent: Field, names: readonly Name[]): (name: Name) => Field {
  const entries = objectOf(parent);
  const prefix = parent.key.endsWith(":") ? parent.key : `${parent.key}.`;
  for (const [name, value] of Object.entries(entries)) {
    if (names.some((known) => known === name)) continue;
    const nearest = nearestName(name, names);
    throw refusal({ ...parent, key: `${prefix}${name}`, value }, "is not a setting", {
      mend:
        nearest === undefined
          ? `Remove it: the settings here are ${names.join(", ")}`
          : `Did you mean ${prefix}${nearest}?`,
    });
  }
  return (name) => ({ file: parent.file, key: `${prefix}${name}`, value: entries[name] });
}

/** The object in a field: as YAML has it, or as the JSON text that Pulumi hands to a program. */
function objectOf(field: Field): Readonly<Record<string, unknown>> {
  const value = typeof field.value === "string" ? parsedJson(field.value) : field.value;
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw refusal(field, `must be a map of settings, but is ${described(field.value)}`);
  }
  return { ...value };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function registryOf(field: Field): string {
  const mend = "Set it to localhost:5180 for the loopback registry, or to ghcr.io/<owner>/<repository> in lower case";
  const registry = textOf(field);
  if (registry === undefined) throw refusal(field, "is not set", { mend });
  if (!isRegistry(registry)) throw refusal(field, `is ${described(registry)}, which is no registry address`, { mend });
  return registry;
}

function warmImageOf(field: Field): string | undefined {
  const image = textOf(field);
  if (image === undefined || image === "") return undefined;
  if (parsePinnedImage(image) === undefined) {
    throw refusal(field, `is ${described(image)}, but a warm image is repository@sha256: and 64 hexadecimal digits`, {
      mend: "Let `npx kiln cache bake` or `npx kiln release promote` write it: a tag could move under a verified image",
    });
  }
  return image;
}

function referenceOf(field: Field): string | undefined {
  const image = textOf(field);
  if (image === undefined || isImageReference(image)) return image;
  throw refusal(field, `is ${described(image)}, which is no image reference`, {
    mend: `Set it to an image such as ${DEFAULT_BASE_IMAGE}`,
  });
}

function tagOf(field: Field, otherwise: string): string {
  const tag = textOf(field) ?? otherwise;
  if (isTag(tag)) return tag;
  throw refusal(field, `is ${described(tag)}, which is no image tag`, {
    mend: "Use 1 to 128 letters, digits, dots, dashes and underscores; the first is no dot and no dash",
  });
}

function pathOf(field: Field, otherwise: string): string {
  const path = textOf(field) ?? otherwise;
  if (path !== "" && !path.startsWith("/")) return path.replace(/(?<=.)\/+$/, "");
  throw refusal(field, `is ${described(path)}, but must be a directory relative to this project`, {
    mend: "Set it to . or to a path such as ../infrastructure, which is the same on every machine",
  });
}

function patternOf(field: Field, otherwise: string): string {
  const pattern = textOf(field) ?? otherwise;
  const segments = pattern.split("/");
  const once = (name: string) => pattern.split(name).length === 2;
  const inside = !pattern.startsWith("/") && !segments.includes("..");
  if (inside && once("{provider}") && once("{module}")) return pattern;
  throw refusal(field, `is ${described(pattern)}, but must be a path below the source with {provider} and {module}`, {
    mend: "Set it to a pattern such as examples/modules/{provider}/{module}",
  });
}

function tagsOf(field: Field): string[] {
  const text = textOf(field) ?? "";
  const tags = text.split(",").filter((tag) => tag !== "");
  const wrong = tags.find((tag) => !isBuildTag(tag));
  if (wrong === undefined) return tags;
  throw refusal(field, `has ${described(wrong)}, which is no build tag of Go`, {
    mend: 'Write tags with commas between, such as "aws,netgo"',
  });
}

function choiceOf<Choice extends string>(field: Field, choices: readonly Choice[], otherwise: Choice): Choice {
  const text = textOf(field) ?? otherwise;
  const choice = choices.find((known) => known === text);
  if (choice !== undefined) return choice;
  throw refusal(field, `is ${described(text)}, which is none of its values`, {
    mend: `Set it to ${choices.join(" or ")}`,
  });
}

/** A truth value: `pulumi config set` writes the text "true", and a program always gets the text. */
function flagOf(field: Field, otherwise: boolean): boolean {
  const { value } = field;
  if (value === undefined || value === null) return otherwise;
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw refusal(field, `must be true or false, but is ${described(value)}`);
}

function textOf(field: Field): string | undefined {
  const { value } = field;
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw refusal(field, `must be text, but is ${described(value)}`, {
    mend: typeof value === "object" ? "Write one text there" : `Write it in quotes: "${JSON.stringify(value)}"`,
  });
}

function described(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return `the ${typeof value} ${JSON.stringify(value)}`;
}

function refusal(field: Field, problem: string, options: { readonly mend?: string } = {}): KilnError {
  return new KilnError("usage", `${field.file}: ${field.key} ${problem}`, options);
}

/** How many single-character changes still count as a misspelling. */
const MISSPELLING = 2;

function nearestName<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
  const ranked = names
    .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [nearest] = ranked;
  return nearest !== undefined && nearest.distance <= MISSPELLING ? nearest.known : undefined;
}

/** Insertions, deletions and substitutions that turn one text into the other (Levenshtein, a row at a time). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, character] of Array.from(from).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(to).entries()) {
      const substituted = (row[j] ?? 0) + (character === other ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
