import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { silent, type Progress } from "../../progress.ts";
import { pushIndex } from "../../registry/client.ts";
import { parseReference, registryHost } from "../../registry/image-reference.ts";
import { isLoopback } from "../../registry/repository-names.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { places as ownPlaces, type Places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { buildCertificates, pushImage } from "../docker.ts";
import { readyStageImages } from "./base-images.ts";
import { readBases, requirePinned, unpinnedOf, unpinnedText } from "./bases.ts";
import { contextArchive } from "./context-archive.ts";
import { BUILD_FOLDER, contextDigest, readContext, type ContextEntry } from "./context.ts";
import { detectModule } from "./detect.ts";
import { MODULE_LABELS, moduleDockerfile, projectEdits, stageImages } from "./dockerfile.ts";
import { readyEntrypointImage } from "./entrypoint-program.ts";
import { readModuleIgnore } from "./ignore.ts";
import type { ModuleKind } from "./kind.ts";
import { buildOwnImage, DOCKERFILE } from "./own-image.ts";
import { withRuntimeOptions } from "./pulumi-project.ts";
import { streamBuild } from "./stream-build.ts";
import { readyToolsImage } from "./tools-image.ts";

export interface ModuleBuild {
  readonly directory: string;
  readonly tag: string;
  /** `linux/amd64`, `linux/arm64`: this machine's own by default. Several need `push`. */
  readonly platforms?: readonly string[] | undefined;
  /** What the module is; found out by default. */
  readonly kind?: ModuleKind | undefined;
  /** In place of the pinned public images: what the module runs on, and what it is built on. */
  readonly baseImage?: string | undefined;
  readonly buildImage?: string | undefined;
  /** The module's own Dockerfile with the entrypoint on top, or the generated one (the default). */
  readonly dockerfile?: "generated" | "own" | undefined;
  /** Put kiln's loopback language hosts and providers in: for tests, never for a registry that others read. */
  readonly loopbackHosts?: boolean | undefined;
  readonly push?: boolean | undefined;
  /** Files with logins that steps of the build read, by id (see `BUILD_SECRETS`). */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  readonly engine: Engine;
  readonly progress?: Progress | undefined;
}

export interface BuiltModule {
  readonly image: string;
  /** The repository's digest where it was pushed, else the engine's image ID. */
  readonly digest: string;
  readonly kind: ModuleKind;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a module is and what its image would be made of, without an engine. */
export interface ModuleInspection {
  readonly kind: ModuleKind;
  readonly dockerfile: string;
  readonly source: string;
  readonly files: readonly string[];
  /** Public images of its stages that a tag alone names. */
  readonly unpinned: readonly string[];
}

/** Builds images of IaC modules. Holds no state; two builds may run at once. */
export class Builder {
  readonly #places: Places;

  constructor(options: { readonly places?: Places } = {}) {
    this.#places = options.places ?? ownPlaces();
  }

  /** Throws a usage error where the directory is no module, or has what no image can have. */
  async inspect(directory: string): Promise<ModuleInspection> {
    const kind = await detectModule(directory);
    const entries = await readContext(directory, await readModuleIgnore(directory, kind));
    const bases = await readBases(this.#places.project);
    const dockerfile = moduleDockerfile(kind, bases);
    const source = await contextDigest(directory, entries);
    const unpinned = unpinnedOf(Object.values(stageImages(kind, bases)));
    return { kind, dockerfile, source, files: entries.map((entry) => entry.path), unpinned };
  }

  /** Builds, and pushes where that is asked for. Throws a KilnError; an image that failed half-way has no tag. */
  async build(options: ModuleBuild): Promise<BuiltModule> {
    const { directory, tag, engine, progress = silent, platforms = [ownPlatform()] } = options;
    const kind = options.kind ?? (await detectModule(directory));
    for (const note of kind.notes) progress.note(note);
    await this.#requireReleasable(options, kind);
    const unpinned = unpinnedOf(await this.#stageReferences(options, kind));
    if (unpinned.length > 0) progress.note(unpinnedText(unpinned));
    const entries = await readContext(directory, await readModuleIgnore(directory, kind));
    const labels = {
      // The generated Dockerfile says it itself. Where the state of a run is depends on it.
      ...(options.dockerfile === "own" ? { [MODULE_LABELS.tool]: kind.tool } : {}),
      [MODULE_LABELS.source]: await contextDigest(directory, entries),
      [MODULE_LABELS.dockerfile]: options.dockerfile ?? "generated",
      [MODULE_LABELS.loopbackHosts]: String(options.loopbackHosts ?? false),
    };
    const build: Prepared = { ...options, kind, entries, labels, progress };
    const [first, ...others] = platforms;
    if (first === undefined) throw new KilnError("usage", "no platform to build for", { mend: "Name one." });
    if (others.length === 0) {
      await this.#buildFor(build, first, tag);
      const digest = options.push === true ? await pushImage(engine, tag) : await imageId(engine, tag);
      return { image: tag, digest, kind, labels };
    }
    const digests: string[] = [];
    for (const platform of platforms) {
      const own = `${tag}-${platform.replace("linux/", "")}`;
      await this.#buildFor(build, platform, own);
      digests.push(await pushImage(engine, own));
    }
    const { path: regctl } = await resolveTool("regctl", { places: this.#places, progress });
    return { image: tag, digest: await pushIndex({ regctl }, parseReference(tag), digests), kind, labels };
  }

  /** Refuses what must not leave this machine, before anything is built. */
  async #requireReleasable(options: ModuleBuild, kind: ModuleKind): Promise<void> {
    const { push = false, platforms = [], loopbackHosts = false } = options;
    const { repository, digest } = parseReference(options.tag);
    if (digest !== undefined) throw new KilnError("usage", `${options.tag} is a digest`, { mend: "Name a tag." });
    if (platforms.length > 1 && !push) {
      throw new KilnError("usage", "an engine keeps one platform of a name", {
        mend: "Build for one platform, or give --push.",
      });
    }
    if (!push || isLoopback(registryHost(repository))) return;
    if (loopbackHosts) {
      throw new KilnError("usage", `an image with loopback hosts is not for ${registryHost(repository)}`, {
        mend: "Build it without --loopback-hosts, or push it to a registry of this machine (localhost:5180).",
      });
    }
    requirePinned(await this.#stageReferences(options, kind));
  }

  /** The images that a generated Dockerfile's stages stand on; none where the module has its own. */
  async #stageReferences(options: ModuleBuild, kind: ModuleKind): Promise<readonly string[]> {
    if (options.dockerfile === "own") return [];
    const pinned = stageImages(kind, await readBases(this.#places.project));
    const { baseImage, buildImage } = options;
    const build = buildImage ?? (kind.runtime === "go" ? pinned.build : (baseImage ?? pinned.build));
    return [baseImage ?? pinned.base, build, pinned.certificates];
  }

  async #buildFor(build: Prepared, platform: string, tag: string): Promise<void> {
    const { engine, progress, directory, entries, labels } = build;
    const at = { places: this.#places, progress };
    const entrypoint = await readyEntrypointImage(engine, platform, at);
    const certificates = buildCertificates();
    const shared = {
      ...{ platform, tag, labels, progress },
      secrets: { ...build.secrets, ...(certificates === undefined ? {} : { ca: certificates }) },
    };
    if (build.dockerfile === "own") {
      await buildOwnImage(engine, shared, { directory, entries, entrypoint });
      return;
    }
    const { kind } = build;
    const bases = await readBases(this.#places.project);
    const images = await readyStageImages({
      ...{ engine, kind, platform, pinned: stageImages(kind, bases), mayReplace: build.loopbackHosts ?? false, ...at },
      named: {
        ...(build.baseImage === undefined ? {} : { base: build.baseImage }),
        ...(build.buildImage === undefined ? {} : { build: build.buildImage }),
      },
    });
    const tools = await readyToolsImage({
      ...{ engine, kind, platform, loopbackHosts: build.loopbackHosts ?? false, ...at },
    });
    progress.step(`building ${tag} for ${platform}`);
    const added = {
      [DOCKERFILE]: moduleDockerfile(kind, bases),
      ...(await editedProject(directory, kind)),
    };
    await streamBuild(engine, {
      ...shared,
      context: contextArchive({ directory, entries, added }),
      dockerfile: DOCKERFILE,
      args: {
        ...{ BASE_IMAGE: images.base, BUILD_IMAGE: images.build, CERTIFICATES_IMAGE: images.certificates },
        ...{ TOOLS_IMAGE: tools, ENTRYPOINT_IMAGE: entrypoint },
      },
    });
  }
}

type Prepared = ModuleBuild & {
  readonly kind: ModuleKind;
  readonly entries: readonly ContextEntry[];
  readonly labels: Readonly<Record<string, string>>;
  readonly progress: Progress;
};

/** The copy of the project file that the image gets, where its runtime options are others than the module's. */
async function editedProject(directory: string, kind: ModuleKind): Promise<Readonly<Record<string, string>>> {
  const edits = projectEdits(kind);
  if (edits === undefined || kind.tool !== "pulumi") return {};
  const text = await readFile(path.join(directory, kind.projectFile), "utf8");
  return { [`${BUILD_FOLDER}/${kind.projectFile}`]: withRuntimeOptions(text, edits.set, edits.unset) };
}

async function imageId(engine: Engine, tag: string): Promise<string> {
  const env = engineEnvironment(engine);
  return (await run(engine.docker, ["image", "inspect", "--format", "{{.Id}}", tag], { env })).stdout.trim();
}
