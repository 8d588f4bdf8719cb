import { isBuildTag } from "../cache/contract.ts";
import { PROGRAM_DELIVERIES, type ProgramDelivery } from "../cache/program-delivery.ts";
import { STORE_LAYOUTS, type StoreLayout } from "../cache/store-layout.ts";
import { isTag } from "../registry/image-reference.ts";
import { DEFAULT_BASE_IMAGE } from "../toolchain/pins.ts";
import { PLATFORMS, type Platform } from "../toolchain/platforms.ts";
import { choiceOf, described, refusal, section, textOf, type Field } from "./field.ts";
import { imageReferenceOf } from "./image-reference.ts";

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

const IMAGE = [
  "dockerfile",
  "platform",
  "tag",
  "base",
  "tools",
  "certificates",
  "plugins",
  "store",
  "programs",
] as const;
const SOURCE = ["path", "modules", "tags"] as const;
const DOCKERFILES = ["merged", "standalone"] as const;
const PLUGIN_MODES = ["none", "layer", "volume"] as const;

/** What a stack says of its runner image. */
export function imageOf(field: Field, stack: string): ImageSettings {
  const image = section(field, IMAGE);
  return Object.freeze({
    dockerfile: choiceOf(image("dockerfile"), DOCKERFILES, "merged"),
    platform: choiceOf(image("platform"), PLATFORMS, "linux/amd64"),
    tag: tagOf(image("tag"), stack),
    base: imageReferenceOf(image("base"), DEFAULT_BASE_IMAGE) ?? DEFAULT_BASE_IMAGE,
    tools: imageReferenceOf(image("tools"), DEFAULT_BASE_IMAGE),
    certificates: imageReferenceOf(image("certificates"), DEFAULT_BASE_IMAGE),
    plugins: choiceOf(image("plugins"), PLUGIN_MODES, "none"),
    store: choiceOf(image("store"), STORE_LAYOUTS, "packed"),
    programs: choiceOf(image("programs"), PROGRAM_DELIVERIES, "cache"),
  });
}

/** What a stack says of the Go programs that its image is warm for. */
export function sourceOf(field: Field): SourceSettings {
  const source = section(field, SOURCE);
  return Object.freeze({
    path: pathOf(source("path"), "."),
    modules: patternOf(source("modules"), "examples/modules/{provider}/{module}"),
    tags: Object.freeze(tagsOf(source("tags"))),
  });
}

/** Throws where a standalone image, which a docker build of this project makes, cannot be what the settings say. */
export function requireBuildable(
  settings: { readonly image: ImageSettings; readonly source: SourceSettings },
  imageField: Field,
  sourceField: Field,
): void {
  if (settings.image.dockerfile !== "standalone") return;
  const [image, source] = [section(imageField, IMAGE), section(sourceField, SOURCE)];
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
