import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { RunnerLanguage, RunnerVariant } from "../../release/runner-image.ts";
import { readyBaseImage, repositoryOf } from "../../toolchain/base-image.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { DEFAULT_BASE_IMAGE, pins } from "../../toolchain/pins.ts";
import type { Places } from "../../toolchain/places.ts";
import type { Platform } from "../../toolchain/platforms.ts";
import { run } from "../../toolchain/process.ts";
import { buildCertificates, buildImage } from "../docker.ts";
import { languageBuild, type LanguageBuild, type LanguageChoice } from "./build-plan.ts";
import { catalogue, catalogueBase, type Archive } from "./catalogue.ts";
import { readyProvidedImage } from "./provided-image.ts";
import { pinnedPulumi, readPulumiRelease } from "./pulumi-release.ts";

export interface LanguageImageRequest {
  readonly language: RunnerLanguage;
  readonly variant: RunnerVariant;
  readonly platform: Platform;
  /** The release of Pulumi, without a v; the pinned one where left out. */
  readonly pulumiVersion?: string | undefined;
  readonly clouds?: readonly string[];
  readonly plugins?: Readonly<Record<string, Archive>>;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** In place of the catalogue's base. */
  readonly baseImage?: string | undefined;
  readonly source?: string | undefined;
  readonly revision?: string | undefined;
  /** Put in what this machine has, kiln's loopback language hosts among it: for tests, never for a registry that others read. */
  readonly loopbackHosts: boolean;
}

export interface BuiltLanguage {
  readonly image: string;
  readonly build: LanguageBuild;
}

/** The build of a request on this machine: with what has to be looked up, and with a base that is there. */
export async function readyLanguageBuild(
  request: LanguageImageRequest,
  at: { readonly engine: Engine; readonly places: Places; readonly progress: Progress },
): Promise<LanguageBuild> {
  const { language, variant, platform, loopbackHosts, baseImage, pulumiVersion = pins.pulumi.version } = request;
  const provided = loopbackHosts
    ? await readyProvidedImage({
        ...at,
        variant,
        platform,
        pulumiVersion,
        runtime: catalogue.languages[language].runtime,
      })
    : undefined;
  const pulumi = loopbackHosts ? pinnedPulumi(platform) : await readPulumiRelease(pulumiVersion, platform);
  const base = await readyBase(baseImage ?? catalogueBase(catalogue), loopbackHosts, { ...at, platform });
  const { clouds, plugins, uid, gid, source, revision } = request;
  const choice: LanguageChoice = { language, variant, platform, pulumi, uid, gid, source, revision, base, provided };
  return languageBuild(catalogue, {
    ...choice,
    ...(clouds === undefined ? {} : { clouds }),
    ...(plugins === undefined ? {} : { plugins }),
  });
}

/** Builds a language runner into the engine. Throws `unreachable` where something cannot be fetched, naming it. */
export async function buildLanguageImage(
  image: string,
  request: LanguageImageRequest,
  at: { readonly engine: Engine; readonly places: Places; readonly progress: Progress },
): Promise<BuiltLanguage> {
  const { engine, places, progress } = at;
  const build = await readyLanguageBuild(request, at);
  const context = path.join(places.project, "images/pulumi-runner");
  progress.step(`building ${image}: ${request.language} ${request.variant} for ${request.platform}`);
  try {
    await buildImage(engine, {
      ...{ context, dockerfile: path.join(context, "Dockerfile"), target: build.target, tag: image },
      ...{ platform: request.platform, args: build.args, certificates: buildCertificates(), progress },
    });
  } catch (error) {
    throw error instanceof KilnError ? (missingDownload(error) ?? error) : error;
  }
  return { image, build };
}

/** What a build said that failed because something could not be fetched; nothing where it failed for another reason. Pure. */
export function missingDownload(error: KilnError): KilnError | undefined {
  const said = /curl: \(\d+\) (.*)/.exec(error.message)?.[1];
  const url = /cannot fetch (https:\S+)/.exec(error.message)?.[1];
  if (said === undefined || url === undefined) return undefined;
  return new KilnError("unreachable", `${url} cannot be fetched: ${said}`, {
    mend: "Let the Docker engine's builds reach that host; behind a proxy see docs/operations.md.",
    cause: error,
  });
}

/**
 * The base by its digest, so that the image can say what it stands on: the one that it is named by, or that its tag stands for
 * today. Where `mayReplace`, a pinned one that cannot be pulled gives way to the stand-in, which has none.
 */
async function readyBase(
  reference: string,
  mayReplace: boolean,
  at: { readonly engine: Engine; readonly places: Places; readonly progress: Progress; readonly platform: Platform },
): Promise<string> {
  const [name = ""] = reference.split("@");
  const base = await readyBaseImage({ ...at, reference: mayReplace && name === DEFAULT_BASE_IMAGE ? name : reference });
  const format = ["--format", "{{json .RepoDigests}}"];
  const { stdout } = await run(at.engine.docker, ["image", "inspect", ...format, base.reference], {
    env: engineEnvironment(at.engine),
  });
  return baseByDigest(base.reference, (JSON.parse(stdout) as readonly string[] | null) ?? []);
}

/**
 * A base of an engine by digest, where it has one. The engine keeps every digest under which it got those bytes: the one that
 * names the base goes before them. Pure.
 */
export function baseByDigest(reference: string, repoDigests: readonly string[]): string {
  if (reference.includes("@")) return reference;
  const digest = repoDigest(reference, repoDigests);
  return digest === undefined ? reference : `${reference}@${digest}`;
}

/** The digest of a reference among those of an engine, which shows images of Docker Hub by their short names. Pure. */
export function repoDigest(reference: string, repoDigests: readonly string[]): string | undefined {
  const short = (repository: string) => repository.replace(/^(index\.)?docker\.io\/(library\/)?/, "");
  const wanted = short(repositoryOf(reference));
  return repoDigests.find((known) => short(repositoryOf(known)) === wanted)?.replace(/^.*@/, "");
}
