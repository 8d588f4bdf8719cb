import { isBuildTag } from "./cache/contract.ts";
import { PROGRAM_DELIVERIES, type ProgramDelivery } from "./cache/program-delivery.ts";
import { STORE_LAYOUTS, type StoreLayout } from "./cache/store-layout.ts";
import { KilnError } from "./errors.ts";
import { isImageReference, isTag, parsePinnedImage, referrersTag } from "./registry/image-reference.ts";
import { isRegistry } from "./registry/repository-names.ts";
import { actionsRunnerOf, type ActionsRunnerSettings } from "./settings/actions-runner.ts";
import { clusterOf, controllerOf, type ClusterSettings, type ControllerSettings } from "./settings/cluster.ts";
import { secretKeysIn, type SecretKeys } from "./settings/credentials.ts";
import { choiceOf, described, flagOf, isSilent, refusal, section, textOf, type Field } from "./settings/field.ts";
import { githubOf, type GithubSettings } from "./settings/github.ts";
import { signaturesOf, type SignaturePolicy } from "./settings/signatures.ts";
import { languageRunnersOf, type LanguageRunnersSettings } from "./settings/language-runners.ts";
import { releaseWatcherOf, type ReleaseWatcherSettings } from "./settings/release-watcher.ts";
import { tenantsOf, type TenantSettings } from "./settings/tenants.ts";
import { DEFAULT_BASE_IMAGE } from "./toolchain/pins.ts";
import { PLATFORMS, type Platform } from "./toolchain/platforms.ts";

export type { Platform };

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
  /** The cluster with the stack's own runners; nothing for a stack that has none. */
  readonly runners: RunnersSettings | undefined;
  /** The GitHub side; nothing where it is kept by hand. */
  readonly github: GithubSettings | undefined;
  /** Whose signature images of this stack must bear; nothing where none is asked for. */
  readonly signatures: SignaturePolicy | undefined;
  /** The registry of language runners that this stack makes; nothing for a stack that has none. */
  readonly languageRunners: LanguageRunnersSettings | undefined;
  /** What looks for new versions of Pulumi on the stack's cluster; nothing where a workflow does, or a person. */
  readonly releaseWatcher: WatcherOnCluster | undefined;
}

/** The watcher, and the cluster that it runs on. */
export interface WatcherOnCluster extends ReleaseWatcherSettings {
  readonly context: string | undefined;
}

/** Self-hosted runners: where, by which controller, what their pods run, and for whom. */
export interface RunnersSettings {
  readonly cluster: ClusterSettings;
  readonly controller: ControllerSettings;
  readonly actionsRunner: ActionsRunnerSettings;
  readonly tenants: Readonly<Record<string, TenantSettings>>;
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
  /** How a baked image holds its caches: compressed in packs, or as the files that Go itself would have. */
  readonly store: StoreLayout;
  /** Whether it holds the programs as caches, as finished binaries, or as both. */
  readonly programs: ProgramDelivery;
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

const RUNNERS = ["cluster", "controller", "actionsRunner", "tenants"] as const;
const DOCKERFILES = ["merged", "standalone"] as const;
const PLUGIN_MODES = ["none", "layer", "volume"] as const;
const KEYS = {
  kiln: [
    "registry",
    "warmImage",
    "image",
    "source",
    "buildOnPreview",
    "cluster",
    "controller",
    "actionsRunner",
    "tenants",
    "github",
    "signatures",
    "languageRunners",
    "releaseWatcher",
  ],
  image: ["dockerfile", "platform", "tag", "base", "tools", "certificates", "plugins", "store", "programs"],
  source: ["path", "modules", "tags"],
} as const;

/**
 * The settings of a stack from its configuration: keys without the namespace, values as the stack file has them or as
 * the text that Pulumi hands to a program. Throws a usage error that names the file, the key and what to write there.
 */
export function parseSettings(
  stack: string,
  raw: Readonly<Record<string, unknown>>,
  isEncrypted: (key: string) => boolean = () => false,
): Settings {
  const file = stackFile(stack);
  const secrets = secretKeysIn(raw, isEncrypted, KEYS.kiln);
  const kiln = section({ file, key: "kiln:", value: secrets.others }, KEYS.kiln);
  const image = section(kiln("image"), KEYS.image);
  const source = section(kiln("source"), KEYS.source);
  const settings: Settings = {
    stack,
    registry: registryOf(kiln("registry")),
    warmImage: warmImageOf(kiln("warmImage")),
    image: Object.freeze({
      dockerfile: choiceOf(image("dockerfile"), DOCKERFILES, "merged"),
      platform: choiceOf(image("platform"), PLATFORMS, "linux/amd64"),
      tag: tagOf(image("tag"), stack),
      base: referenceOf(image("base")) ?? DEFAULT_BASE_IMAGE,
      tools: referenceOf(image("tools")),
      certificates: referenceOf(image("certificates")),
      plugins: choiceOf(image("plugins"), PLUGIN_MODES, "none"),
      store: choiceOf(image("store"), STORE_LAYOUTS, "packed"),
      programs: choiceOf(image("programs"), PROGRAM_DELIVERIES, "cache"),
    }),
    source: Object.freeze({
      path: pathOf(source("path"), "."),
      modules: patternOf(source("modules"), "examples/modules/{provider}/{module}"),
      tags: Object.freeze(tagsOf(source("tags"))),
    }),
    buildOnPreview: flagOf(kiln("buildOnPreview"), false),
    runners: runnersOf(kiln, stack, secrets, choiceOf(image("platform"), PLATFORMS, "linux/amd64")),
    github: isSilent(kiln("github")) ? undefined : githubOf(kiln("github"), secrets),
    signatures: signaturesOf(kiln("signatures")),
    languageRunners: isSilent(kiln("languageRunners")) ? undefined : languageRunnersOf(kiln("languageRunners")),
    releaseWatcher: watcherOf(kiln("releaseWatcher"), kiln("cluster"), secrets),
  };
  if (settings.image.dockerfile === "standalone") requireBuildable(settings, image, source);
  return Object.freeze(settings);
}

/** The runners of a stack that installs the controller or has tenants; nothing for another. */
function runnersOf(
  kiln: (name: (typeof RUNNERS)[number] | "releaseWatcher") => Field,
  stack: string,
  secrets: SecretKeys,
  platform: Platform,
): RunnersSettings | undefined {
  if (isSilent(kiln("controller")) && isSilent(kiln("tenants"))) {
    const others = isSilent(kiln("releaseWatcher")) ? RUNNERS : RUNNERS.filter((name) => name !== "cluster");
    const stray = others.find((name) => !isSilent(kiln(name)));
    if (stray === undefined) return undefined;
    throw refusal(kiln(stray), "is set, but this stack has no runners", {
      mend: "Describe them in kiln:tenants (docs/runners.md), or remove it",
    });
  }
  return Object.freeze({
    cluster: clusterOf(kiln("cluster")),
    controller: controllerOf(kiln("controller")),
    actionsRunner: actionsRunnerOf(kiln("actionsRunner"), platform),
    tenants: tenantsOf(kiln("tenants"), stack, secrets),
  });
}

/** The watcher of a stack, on the cluster of its runners where it has any. */
function watcherOf(field: Field, cluster: Field, secrets: SecretKeys): WatcherOnCluster | undefined {
  if (isSilent(field)) return undefined;
  return Object.freeze({ ...releaseWatcherOf(field, secrets), context: clusterOf(cluster).context });
}

/** Throws where a standalone image, which a docker build of this project makes, cannot be what the settings say. */
function requireBuildable(
  settings: Pick<Settings, "image" | "source">,
  image: (name: "platform" | "plugins" | "store" | "programs") => Field,
  source: (name: "path" | "tags") => Field,
): void {
  const standalone = "when kiln:image.dockerfile is standalone";
  const { platform, plugins, programs, tools } = settings.image;
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
  // Packed is the default, so it is refused where it is written only: a standalone image is loose without asking.
  if (textOf(image("store")) === "packed") {
    throw refusal(image("store"), `cannot be packed ${standalone}`, {
      mend: "A docker build packs no caches: remove it, or bake: kiln:image.dockerfile: merged",
    });
  }
  if (programs !== "cache") {
    throw refusal(image("programs"), `cannot be ${programs} ${standalone}`, {
      mend: "A docker build makes no binaries: remove it, or bake: kiln:image.dockerfile: merged",
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
