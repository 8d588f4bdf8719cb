import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { mirroredReference, readyBaseImage } from "../../toolchain/base-image.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { DEFAULT_BASE_IMAGE } from "../../toolchain/pins.ts";
import type { Places } from "../../toolchain/places.ts";
import { lastLines, run } from "../../toolchain/process.ts";
import type { ModuleKind } from "./kind.ts";
import { readyStandIn } from "./stand-in-base.ts";

export interface StageImages {
  readonly base: string;
  readonly build: string;
  readonly certificates: string;
}

export interface BaseImagesOptions {
  readonly engine: Engine;
  readonly kind: ModuleKind;
  readonly platform: string;
  /** The public images of the pins. */
  readonly pinned: StageImages;
  /** What a person named instead. */
  readonly named: Partial<StageImages>;
  /** Whether images of Debian packages may take the place of public ones that cannot be pulled. */
  readonly mayReplace: boolean;
  readonly places: Places;
  readonly progress: Progress;
}

/**
 * The images of a module's stages, in the engine. An image that a person named is that one or an error; a pinned one that
 * cannot be pulled is replaced only where stand-ins are asked for, with a note.
 */
export async function readyStageImages(options: BaseImagesOptions): Promise<StageImages> {
  const { named, pinned } = options;
  const isCompiled = options.kind.runtime === "go";
  // Two stages may stand on one image: each is looked for once.
  const plain = once((reference: string) => plainBase(options, reference));
  const ready = once((reference: string) => pinnedImage(options, reference, plain));
  return {
    base: named.base === undefined ? await ready(pinned.base) : await pulled(options, named.base),
    // What is installed for one base may not run on another; a Go program does.
    build:
      named.build !== undefined
        ? await pulled(options, named.build)
        : named.base === undefined || isCompiled
          ? await ready(pinned.build)
          : named.base,
    certificates: await ready(pinned.certificates),
  };
}

function once(make: ImageOf): ImageOf {
  const made = new Map<string, Promise<string>>();
  return (reference) => {
    const image = made.get(reference) ?? make(reference);
    made.set(reference, image);
    return image;
  };
}

type ImageOf = (reference: string) => Promise<string>;

async function pinnedImage(options: BaseImagesOptions, reference: string, plain: ImageOf): Promise<string> {
  const { progress, mayReplace } = options;
  try {
    return await pulled(options, reference);
  } catch (error) {
    if (!mayReplace || !(error instanceof KilnError) || error.kind !== "unreachable") throw error;
    const standIn = await standInFor(options, reference, plain);
    progress.note(`${reference} cannot be pulled; using ${standIn}, made of Debian's packages`);
    return standIn;
  }
}

async function standInFor(options: BaseImagesOptions, reference: string, plain: ImageOf): Promise<string> {
  const { kind, pinned } = options;
  const { runtime } = kind;
  if (runtime === "dotnet" || runtime === "java") {
    throw new KilnError("unreachable", `${reference} cannot be pulled, and there is no stand-in for ${runtime}`, {
      mend: "Let the Docker engine reach that registry, or name another image with --base-image.",
    });
  }
  const base = await plain(DEFAULT_BASE_IMAGE);
  if (runtime === "go" && reference === pinned.build) return readyStandIn({ ...options, base, language: runtime });
  const isInterpreted = runtime === "nodejs" || runtime === "python";
  if (!isInterpreted || reference === pinned.certificates) return base;
  return readyStandIn({ ...options, base, language: runtime });
}

async function plainBase(options: BaseImagesOptions, reference: string): Promise<string> {
  return (await readyBaseImage({ ...options, reference })).reference;
}

async function pulled({ engine, platform }: BaseImagesOptions, named: string): Promise<string> {
  const env = engineEnvironment(engine);
  const reference = mirroredReference(named, process.env.KILN_DOCKER_MIRROR);
  const known = await run(engine.docker, ["image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", reference], {
    env,
    allowFailure: true,
  });
  if (known.code === 0 && known.stdout.trim() === platform) return reference;
  const result = await run(engine.docker, ["pull", "--quiet", "--platform", platform, reference], {
    env,
    allowFailure: true,
  });
  if (result.code === 0) return reference;
  throw new KilnError("unreachable", `cannot pull ${reference}: ${lastLines(result.stderr, 1)}`, {
    mend: "Let the Docker engine reach that registry, log in to it, `docker load` the image, or name another with --base-image.",
  });
}
