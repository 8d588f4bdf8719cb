import { readFile, realpath, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import type { Progress } from "../progress.ts";
import { compileBytes, giantsOf, passesBefore, type CompilePass, type Giant } from "./compile-passes.ts";
import { concurrently } from "./concurrently.ts";
import { failedPrograms, requireMachineHeld, type FailedProgram } from "./failed-programs.ts";
import type { GoMounts } from "./go/command.ts";
import { listingFault } from "./go/fault.ts";
import { fetchPackages, requireReached, type FetchedListing } from "./go/fetch.ts";
import type { ListedPackage } from "./go/list.ts";
import { outsideMounts, packageArguments } from "./graph.ts";
import { longestFirst } from "./longest-first.ts";
import { compileMemory, memoryFor, usableMemory } from "./memory.ts";
import type { Program } from "./programs.ts";
import { PackageTally, type ServedPackages } from "./served-packages.ts";
import { withScratch, type Scratch } from "./scratch.ts";
import { parseActionGraph } from "./timings.ts";

/** What is compiled in one go. */
export interface Compilation {
  /** None for packages alone, which are compiled as far as each go.mod knows them. */
  readonly programs: readonly Program[];
  readonly targets: readonly CompileTarget[];
  /** Estimated seconds by import path. */
  readonly costs: Readonly<Record<string, number>>;
  /** Bytes of archives by import path, where earlier runs saw them. */
  readonly archives?: Readonly<Record<string, number>>;
}

/** What one `go list` compiles: names of packages, in the directory of their go.mod. */
export interface CompileTarget {
  readonly goModule: string;
  readonly names: readonly string[];
}

export interface Compiled {
  readonly failed: ReadonlyMap<string, FailedProgram>;
  readonly served: ServedPackages;
  /** What Go said of all packages, by the directory of the go.mod: with their export files where they compile. */
  readonly listings: ReadonlyMap<string, readonly ListedPackage[]>;
  /** CPU seconds by import path, of what was really compiled. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** The programs of a compilation, as one build graph for each go.mod. */
export function programTargets(programs: readonly Program[]): readonly CompileTarget[] {
  return [...Map.groupBy(programs, (program) => program.goModule)].map(([goModule, members]) => ({
    goModule,
    names: packageArguments(members),
  }));
}

/**
 * Compiles packages in a store, as one build graph for each go.mod, with Go's faults by program. Throws where a module
 * cannot be fetched (any more), and where memory or disk do not suffice: that is no program's fault.
 */
export function compile(mounts: GoMounts, source: string, work: Compilation, progress: Progress): Promise<Compiled> {
  return withScratch(mounts, async (scratch) => {
    const tally = new PackageTally();
    const failed = new Map<string, FailedProgram>();
    const listings = new Map<string, readonly ListedPackage[]>();
    const seconds: Record<string, number> = {};
    const onCompiled = compileMeter(work, progress);
    // Go names directories by their real paths.
    const root = await realpath(source);
    for (const { goModule, names } of work.targets) {
      const lines = new Set<string>();
      const onStderrLine = (line: string) => {
        lines.add(line);
        onCompiled(line);
      };
      const place = { mounts, cwd: path.join(source, goModule), scratch, progress, onStderrLine, seconds };
      const listed = await compileTarget(place, names, work);
      tally.add(listed.packages, lines);
      listings.set(goModule, listed.packages);
      const members = work.programs.filter((program) => program.goModule === goModule);
      const fault = listed.code === 0 ? undefined : listingFault(listed, path.join(goModule, "go.mod"));
      const found =
        fault === undefined
          ? failedPrograms(listed.packages, root, members)
          : members.map(({ directory }) => [directory, { reason: fault, goModules: [] }] as const);
      for (const [directory, failure] of found) {
        requireMachineHeld(failure.reason, path.dirname(mounts.goBuildCache));
        failed.set(directory, failure);
      }
    }
    return { failed, served: tally.counts, listings, seconds };
  });
}

interface Place {
  readonly mounts: GoMounts;
  readonly cwd: string;
  readonly scratch: Scratch;
  readonly progress: Progress;
  readonly onStderrLine: (line: string) => void;
  /** Grows by what each pass took. */
  readonly seconds: Record<string, number>;
}

/** Fetches and compiles packages, giants before the others and then the longest first, and gives Go's last word on all. */
async function compileTarget(
  place: Place,
  names: readonly string[],
  { costs, archives = {} }: Compilation,
): Promise<FetchedListing> {
  const { mounts, cwd, progress } = place;
  const { packages, unreached } = await fetchPackages(mounts, names, { cwd, progress, allowFailure: true });
  requireReached(unreached);
  const first = longestFirst(packages, costs);
  for (const stage of await readPasses(place, packages, archives)) {
    await Promise.all(stage.map((pass) => runPass(place, { ...pass, names: inOrder(first, pass.names) })));
  }
  const listed = await runPass(place, { names: [...first, ...names], memory: compileMemory() });
  requireReached(listed.unreached);
  return listed;
}

/** Names, those of `first` first. */
function inOrder(first: readonly string[], names: readonly string[]): readonly string[] {
  const known = new Set(names);
  return [...new Set([...first.filter((name) => known.has(name)), ...names])];
}

async function runPass(place: Place, { names, memory }: CompilePass): Promise<FetchedListing> {
  const { mounts, cwd, scratch, progress, onStderrLine, seconds } = place;
  const graph = scratch.file("actions.json");
  const compileSettings = { procs: memory.procs, actionGraph: graph.inside };
  const listed = await fetchPackages(mounts, names, {
    ...{ cwd, progress, onStderrLine, allowFailure: true },
    ...{ compile: compileSettings, environment: memory.environment },
  });
  const text = await readFile(graph.outside, "utf8").catch(() => "[]");
  Object.assign(seconds, parseActionGraph(JSON.parse(text)).seconds);
  return listed;
}

/** The passes before the last one, where a package is too large for a compiler's share of this machine's memory. */
async function readPasses(
  { mounts, progress }: Place,
  packages: readonly ListedPackage[],
  archives: Readonly<Record<string, number>>,
): Promise<ReturnType<typeof passesBefore>> {
  const [bytes, cores] = [usableMemory(), availableParallelism()];
  const sources = await readSourceBytes(mounts, packages);
  const estimates = new Map([...sources].map(([name, size]) => [name, compileBytes(size, archives[name])] as const));
  const giants = giantsOf(packages, estimates, memoryFor(bytes, cores).share);
  for (const giant of giants.filter((one) => one.bytes > bytes)) progress.note(memoryWarning(giant, bytes));
  return passesBefore(packages, giants, bytes, cores);
}

function memoryWarning({ importPath, bytes }: Giant, usable: number): string {
  const gigabytes = (count: number) => (count / 1024 ** 3).toFixed(1);
  return (
    `${importPath} needs about ${gigabytes(bytes)} GB of memory to compile, and this machine has ${gigabytes(usable)} GB ` +
    "for it: it may take long or be killed; a runner with more memory compiles it in minutes"
  );
}

/** Bytes of Go source by import path, of packages of Go modules: what their compile memory is estimated by. */
async function readSourceBytes(
  mounts: GoMounts,
  packages: readonly ListedPackage[],
): Promise<ReadonlyMap<string, number>> {
  const bytes = new Map<string, number>();
  const outside = packages.filter((entry) => entry.Standard !== true && entry.Dir !== undefined);
  await concurrently(outside, async ({ ImportPath, Dir = "/", GoFiles = [] }) => {
    const directory = outsideMounts(mounts, Dir);
    const sizes = GoFiles.map(
      async (file) => (await stat(path.join(directory, file)).catch(() => undefined))?.size ?? 0,
    );
    bytes.set(
      ImportPath,
      (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0),
    );
  });
  return bytes;
}

/** Reports each package that a build starts on, weighed by the plan's estimate. */
function compileMeter({ costs }: Compilation, progress: Progress): (importPath: string) => void {
  let done = 0;
  let total = Object.values(costs).reduce((sum, cost) => sum + cost, 0);
  return (importPath) => {
    const cost = costs[importPath];
    if (cost === undefined && !/^[\w.-]+(\/[\w.~-]+)*$/.test(importPath)) return;
    // A package of the base that was not there yet: it lengthens what is to be done.
    if (cost === undefined) total += 0.1;
    progress.update(`compiling ${importPath}`, (done += cost ?? 0.1), total);
  };
}
