import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { readImageManifest } from "../../registry/client.ts";
import { engineEnvironment } from "../../toolchain/docker-engine.ts";
import { run } from "../../toolchain/process.ts";
import { docker, imageBytes } from "../docker.ts";
import { requireSpace } from "../free-space.ts";
import { hasImage, registryBytes } from "../registry.ts";
import { writeProgramList } from "../selection.ts";
import type { Step, StepContext } from "../step.ts";
import { modulesStep } from "./common.ts";
import { runScript, SCRIPTS, secondsOf, wordsOf, type PublishedMethod } from "./published-script.ts";

/** One job of the matrix: seconds, and bytes of its artifact. */
export interface Job {
  readonly provider: string;
  readonly build: number;
  readonly upload: number;
  readonly bytes: number;
  /** Directories of programs that did not compile. */
  readonly failed: readonly string[];
}

/** Seconds of all artifacts. */
export interface Merge {
  readonly download: number;
  readonly merge: number;
}

/** An image with whole caches, in the registry: seconds, and bytes of the caches as they are and as they travel. */
export interface WholeImage {
  /** Without the registry's host, which is another one in the next run. */
  readonly repository: string;
  readonly build: number;
  readonly push: number;
  readonly pushedBytes: number;
  readonly cacheBytes: number;
  readonly cacheDiskBytes: number;
  readonly compressedBytes: number;
}

export interface PublishedSteps {
  readonly method: PublishedMethod;
  readonly jobs: readonly Step<Job>[];
  readonly merge: Step<Merge>;
  readonly image: Step<WholeImage>;
  /** Flags of `go build`, in its jobs and where its image builds. */
  readonly flags: (context: StepContext) => readonly string[];
}

const TAG = "merged";

/**
 * The steps of the published method, which is a shell script of its own (bench/published): with the settings that runners
 * have by themselves, or `corrected`, with those of the image.
 */
export function publishedSteps(method: PublishedMethod, providers: readonly string[]): PublishedSteps {
  const flags = ({ contract }: StepContext) => (method === "corrected" ? contract.flags : []);
  const jobs = providers.map((provider): Step<Job> => ({
    id: `${method}/job ${provider}`,
    title: `${method} method: the job of ${provider}, compiling from empty caches`,
    method,
    after: [modulesStep],
    standing: ({ work }) =>
      Promise.resolve(
        existsSync(place(work, method, `artifacts/${provider}.tar`)) ||
          existsSync(place(work, method, "merged", provider)),
      ),
    run: (context) => runJob(context, method, provider, flags(context)),
  }));
  const merge: Step<Merge> = {
    id: `${method}/merge`,
    title: `${method} method: artifacts down, cp -rn`,
    method,
    after: jobs,
    standing: ({ work }) => Promise.resolve(existsSync(place(work, method, "merged-cache"))),
    run: (context) => runMerge(context, method),
  };
  const image: Step<WholeImage> = {
    id: `${method}/image`,
    title: `${method} method: COPY of both whole caches, push`,
    method,
    after: [merge],
    standing: ({ work }) => hasImage(path.join(work, "registry"), repositoryOf(method), TAG),
    run: (context) => buildImage(context, method),
  };
  return { method, jobs, merge, image, flags };
}

/** The reference of a method's image in this run's registry. */
export function wholeImage({ registry }: StepContext, method: PublishedMethod): string {
  return `${registry}/${repositoryOf(method)}:${TAG}`;
}

function repositoryOf(method: PublishedMethod): string {
  return `kiln-bench/${method}`;
}

function place(work: string, method: PublishedMethod, ...parts: readonly string[]): string {
  return path.join(work, method, ...parts);
}

async function runJob(
  context: StepContext,
  method: PublishedMethod,
  provider: string,
  flags: readonly string[],
): Promise<Job> {
  const { work, selection } = context;
  const list = path.join(work, "programs.tsv");
  await writeProgramList(selection.programs, list);
  const folder = place(work, method);
  await mkdir(folder, { recursive: true });
  const args = [provider, selection.source, list, folder, ...flags];
  const lines = await runScript(context, method, "job.sh", args);
  const failed = lines.flatMap(([word, ...directory]) => (word === "failed" ? [directory.join(" ")] : []));
  const compiled = selection.programs.filter((program) => program.provider === provider).length - failed.length;
  if (compiled === 0) throw new KilnError("failed", `no program of ${provider} compiles`);
  return {
    provider,
    build: secondsOf(lines, "build"),
    upload: secondsOf(lines, "upload"),
    bytes: secondsOf(lines, "bytes"),
    failed,
  };
}

async function runMerge(context: StepContext, method: PublishedMethod): Promise<Merge> {
  const lines = await runScript(context, method, "merge.sh", [place(context.work, method)]);
  const sum = (word: string) =>
    lines.filter(([name]) => name === word).reduce((total, [, , seconds]) => total + Number(seconds), 0);
  return { download: sum("download"), merge: sum("merge") };
}

async function buildImage(context: StepContext, method: PublishedMethod): Promise<WholeImage> {
  const { work, engine, client, goRoot, registry } = context;
  const merged = place(work, method, "merged-cache");
  // The merged caches, the builder's copy of them, the layers: three times the same.
  await requireSpace(work, merged, 2.2);
  const base = baseTag(context, method);
  const file = path.join(SCRIPTS, "Dockerfile.base");
  await docker(context, [
    "build",
    "--file",
    file,
    "--build-arg",
    `BASE_IMAGE=${context.baseImage}`,
    "--tag",
    base,
    goRoot,
  ]);
  await docker(context, ["push", "--quiet", base]);
  const home = path.join(work, "registry");
  const before = await registryBytes(home);
  const image = wholeImage(context, method);
  const env = { ...engineEnvironment(engine), DOCKER: engine.docker };
  const printed = await run("/bin/sh", [path.join(SCRIPTS, "image.sh"), place(work, method), base, image], { env });
  const lines = wordsOf(printed.stdout);
  const repository = repositoryOf(method);
  const [whole, below] = await Promise.all(
    [TAG, BASE_TAG].map((tag) => readImageManifest(client, { repository: `${registry}/${repository}`, tag })),
  );
  const inBase = new Set(below?.layers.map(({ digest }) => digest));
  const own = (whole?.layers ?? []).filter(({ digest }) => !inBase.has(digest));
  const { bytes, diskBytes } = await imageBytes(context, image, ["/var/cache/go-mod", "/var/cache/go-build"]);
  return {
    repository,
    build: secondsOf(lines, "image"),
    push: secondsOf(lines, "push"),
    pushedBytes: (await registryBytes(home)) - before,
    cacheBytes: bytes,
    cacheDiskBytes: diskBytes,
    compressedBytes: own.reduce((total, { size }) => total + size, 0),
  };
}

const BASE_TAG = "base";

function baseTag({ registry }: StepContext, method: PublishedMethod): string {
  return `${registry}/${repositoryOf(method)}:${BASE_TAG}`;
}
