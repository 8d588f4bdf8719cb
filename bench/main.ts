import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { goSourceKey } from "../toolchain/go-programs.ts";
import { parseGitSource, readyGitSource } from "../cache/git-source.ts";
import { printer } from "../cli/printer.ts";
import { EXIT, KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { withLock } from "../toolchain/lock.ts";
import { toolVersions } from "../toolchain/pins.ts";
import { places, type Places } from "../toolchain/places.ts";
import { interruption } from "../toolchain/process.ts";
import { removeFolder } from "../toolchain/remove-folder.ts";
import { buildCacheIds, pruneBuildCache, removeBenchImages } from "./docker.ts";
import { FIGURE_KEYS, figuresFor } from "./figures.ts";
import { readyMachine } from "./machine.ts";
import { kilnFolder } from "./methods/kiln-command.ts";
import { helpText, parseOptions, type BenchOptions } from "./options.ts";
import { stopRegistry } from "./registry.ts";
import { makeReport, type Report } from "./report.ts";
import { runSteps } from "./run-steps.ts";
import { selectPrograms } from "./selection.ts";
import { readState, resumedState } from "./state.ts";
import type { Method, StepContext } from "./step.ts";
import { reportText } from "./table.ts";

/** Runs the bench for a command line and returns its exit code (see EXIT). */
export async function main(argv: readonly string[]): Promise<number> {
  const here = places();
  const progress = printer({ stream: process.stderr, quiet: false, env: process.env, now: () => performance.now() });
  const onInterrupt = () => {
    interruption.abort();
  };
  process.once("SIGINT", onInterrupt).once("SIGTERM", onInterrupt);
  try {
    const project = { root: here.project, figures: FIGURE_KEYS };
    const options = parseOptions(argv, project);
    if (options === "help") {
      process.stdout.write(helpText(project));
      return EXIT.done;
    }
    const lock = `${options.work}.lock`;
    const report = await withLock(lock, progress, "another run of the bench", () => compare(here, options, progress));
    progress.close();
    process.stdout.write(`${reportText(report)}\n`);
    return Object.keys(report.missing).length === 0 ? EXIT.done : EXIT.failed;
  } catch (error) {
    progress.close();
    return ended(error);
  }
}

function ended(error: unknown): number {
  if (interruption.signal.aborted) {
    process.stderr.write("bench: interrupted; the same command goes on after the last finished step\n");
    return EXIT.interrupted;
  }
  process.stderr.write(`bench: ${messageOf(error)}\n`);
  if (error instanceof KilnError && error.mend !== undefined) process.stderr.write(`       ${error.mend}\n`);
  return EXIT[error instanceof KilnError ? error.kind : "failed"];
}

async function compare(here: Places, options: BenchOptions, progress: Progress): Promise<Report> {
  const { work, pattern, providers } = options;
  await mkdir(work, { recursive: true });
  progress.step(`work folder ${work}`);
  const selection = await selectPrograms({ source: await readySource(options, progress), pattern, providers }, work);
  const names = [...new Set(selection.programs.map(({ provider }) => provider))].sort();
  progress.note(`${selection.programs.length} programs, by provider: ${names.join(", ")}`);
  const key = digestOf([selection.digest, ...selection.programs.map(({ directory }) => directory), toolVersions.go]);
  const state = resumedState(await readState(work), key, options.fresh);
  if (options.fresh) await forget(work);
  const code = await codeDigest(here.project);
  const methods = await goSourceKey(path.join(here.project, "bench"), "");
  const machine = await readyMachine(here, work, progress);
  const buildCache = await buildCacheIds(machine);
  const figures = figuresFor(names).filter((figure) => options.figures.includes(figure.key));
  try {
    const results = await runSteps({
      context: { options, work, selection, progress, ...machine },
      wanted: figures.flatMap(({ needs }) => needs),
      state,
      // What kiln measures is measured again when kiln is another one; the other methods do not know of it.
      inputsOf: (id) => (id.startsWith("kiln/") ? code : methods),
      clean: async (context, method, failed) => {
        await clean(context, method, failed);
        await pruneBuildCache(machine, buildCache);
      },
    });
    const report = makeReport(figures, results);
    const { ratios, figures: raw, missing } = report;
    const document = `${JSON.stringify({ ratios, figures: raw, missing }, null, 2)}\n`;
    for (const file of [path.join(work, "results.json"), options.json]) {
      if (file !== undefined) await writeFile(file, document);
    }
    return report;
  } finally {
    await stopRegistry(path.join(work, "registry"));
  }
}

async function readySource({ source, work }: BenchOptions, progress: Progress): Promise<string> {
  const git = parseGitSource(source);
  return git === undefined ? source : readyGitSource(git, path.join(work, "git"), progress);
}

/** Takes away what earlier runs left, but for the modules that they fetched. */
async function forget(work: string): Promise<void> {
  for (const folder of ["state.json", "published", "corrected", "kiln", "registry"]) {
    await removeFolder(path.join(work, folder));
  }
}

/** Where a step of kiln's failed, its store stays, so that the next run need not compile again. */
async function clean(context: StepContext, method: Method, failed: boolean): Promise<void> {
  if (method === "common") return;
  await removeBenchImages(context);
  if (method !== "kiln") return removeFolder(path.join(context.work, method));
  if (failed) context.progress.note(`${kilnFolder(context.work)} stays, for the next run`);
  else await removeFolder(kilnFolder(context.work));
}

/** A digest of all code that decides what kiln does and how it is measured. */
async function codeDigest(project: string): Promise<string> {
  const rooms = ["bench", "cache", "cli", "execution", "images", "registry", "toolchain"];
  return digestOf(await Promise.all(rooms.map((room) => goSourceKey(path.join(project, room), ""))));
}

function digestOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
