import { KilnError } from "./errors.ts";
import { parsePinnedImage, referrersTag } from "./registry/image-reference.ts";
import { isRegistry } from "./registry/repository-names.ts";
import { actionsRunnerOf, type ActionsRunnerSettings } from "./settings/actions-runner.ts";
import { clusterOf, controllerOf, type ClusterSettings, type ControllerSettings } from "./settings/cluster.ts";
import { secretKeysIn, type SecretKeys } from "./settings/credentials.ts";
import { described, flagOf, isSilent, refusal, section, textOf, type Field } from "./settings/field.ts";
import { githubOf, type GithubSettings } from "./settings/github.ts";
import { imageOf, requireBuildable, sourceOf, type ImageSettings, type SourceSettings } from "./settings/image.ts";
import { signaturesOf, type SignaturePolicy } from "./settings/signatures.ts";
import { languageRunnersOf, type LanguageRunnersSettings } from "./settings/language-runners.ts";
import { jobImagesOf, languageImagesOf, type OwnImages } from "./settings/own-images.ts";
import { releaseWatcherOf, type ReleaseWatcherSettings } from "./settings/release-watcher.ts";
import { tenantsOf, type TenantSettings } from "./settings/tenants.ts";

/** What one stack says, checked and complete. Every default of the project stands in this file or in settings/. */
export interface Settings extends OwnImages {
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
const KEYS = [
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
  "languageImages",
  "jobImages",
  "languageRunners",
  "releaseWatcher",
] as const;

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
  const secrets = secretKeysIn(raw, isEncrypted, KEYS);
  const kiln = section({ file, key: "kiln:", value: secrets.others }, KEYS);
  const settings: Settings = {
    stack,
    registry: registryOf(kiln("registry")),
    warmImage: warmImageOf(kiln("warmImage")),
    image: imageOf(kiln("image"), stack),
    source: sourceOf(kiln("source")),
    buildOnPreview: flagOf(kiln("buildOnPreview"), false),
    runners: runnersOf(kiln, stack, secrets),
    github: isSilent(kiln("github")) ? undefined : githubOf(kiln("github"), secrets),
    signatures: signaturesOf(kiln("signatures")),
    languageImages: languageImagesOf(kiln("languageImages")),
    jobImages: jobImagesOf(kiln("jobImages")),
    languageRunners: isSilent(kiln("languageRunners")) ? undefined : languageRunnersOf(kiln("languageRunners")),
    releaseWatcher: watcherOf(kiln("releaseWatcher"), kiln("cluster"), secrets),
  };
  requireBuildable(settings, kiln("image"), kiln("source"));
  return Object.freeze(settings);
}

/** The runners of a stack that installs the controller or has tenants; nothing for another. */
function runnersOf(
  kiln: (name: (typeof RUNNERS)[number] | "releaseWatcher" | "image") => Field,
  stack: string,
  secrets: SecretKeys,
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
    actionsRunner: actionsRunnerOf(kiln("actionsRunner"), imageOf(kiln("image"), stack).platform),
    tenants: tenantsOf(kiln("tenants"), stack, secrets),
  });
}

/** The watcher of a stack, on the cluster of its runners where it has any. */
function watcherOf(field: Field, cluster: Field, secrets: SecretKeys): WatcherOnCluster | undefined {
  if (isSilent(field)) return undefined;
  return Object.freeze({ ...releaseWatcherOf(field, secrets), context: clusterOf(cluster).context });
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
