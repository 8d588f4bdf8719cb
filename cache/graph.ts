import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../progress.ts";
import { fetchPackages, requireReached, type FetchedListing } from "./go/fetch.ts";
import type { GoMounts } from "./go/command.ts";
import { readNewerGo } from "./go/directives.ts";
import { explainedFault, listingFault } from "./go/fault.ts";
import { goModuleOf, importsOf, listRequiredModules, type ListedPackage } from "./go/list.ts";
import type { Program } from "./programs.ts";
import { readText } from "./source-files.ts";

/** One Go package of the build graph. */
export interface Package {
  readonly importPath: string;
  readonly standard: boolean;
  readonly main: boolean;
  /** `path@version` of the Go module that provides it; absent for the standard library and the repository's own. */
  readonly goModule?: string;
  /** Keys of the packages that it imports. */
  readonly imports: readonly string[];
  /** Bytes of source that the compiler reads: what its compile time is estimated by. */
  readonly sourceBytes: number;
}

export interface Graph {
  /**
   * By key: two go.mod files may know different packages by one import path, so it is the import path with the version of
   * its Go module, or the directory of a package of the repository's own.
   */
  readonly packages: ReadonlyMap<string, Package>;
  /** The key of each program that loads, by its directory. */
  readonly roots: ReadonlyMap<string, string>;
  /** Why a program does not load, by its directory. */
  readonly faults: ReadonlyMap<string, string>;
  /** Directories that looked like programs and are none by what a build takes in. */
  readonly skipped: readonly string[];
  /** The modules that each go.mod requires, as `path@version`, by its directory. */
  readonly required: ReadonlyMap<string, readonly string[]>;
}

/** All packages that a build of these roots compiles, the roots included. */
export function closureOf(
  packages: ReadonlyMap<string, Pick<Package, "imports">>,
  roots: readonly string[],
): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [...roots];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...(packages.get(next)?.imports ?? []));
  }
  return seen;
}

/**
 * Reads the build graph of programs with `go list`, which fetches what GOMODCACHE does not hold yet. A program that does not
 * load becomes a fault. Throws only when none loads because modules cannot be fetched.
 */
export async function readGraph(
  mounts: GoMounts,
  source: string,
  programs: readonly Program[],
  progress: Progress,
): Promise<Graph> {
  const graph = {
    packages: new Map<string, Package>(),
    roots: new Map<string, string>(),
    faults: new Map<string, string>(),
    skipped: [] as string[],
    required: new Map<string, readonly string[]>(),
  };
  let unreached: FetchedListing["unreached"] = [];
  const groups = Map.groupBy(programs, (program) => program.goModule);
  for (const [goModule, members] of groups) {
    progress.update(goModule === "." ? "go.mod" : `${goModule}/go.mod`, graph.roots.size, programs.length);
    const cwd = path.join(source, goModule);
    const newer = await readNewerGo(source, goModule, mounts.contract.goVersion);
    if (newer !== undefined) {
      for (const { directory } of members) graph.faults.set(directory, newer);
      continue;
    }
    // What one go.mod waited for in vain is not waited for again by the next.
    const patience = unreached.length > 0 ? { retryMs: [] } : {};
    const fetching = { cwd, progress, allowFailure: true, ...patience };
    const listed = await fetchPackages(mounts, packageArguments(members), fetching);
    unreached = [...unreached, ...listed.unreached];
    if (listed.code !== 0) {
      const reason = listingFault(listed, path.posix.join(goModule, "go.mod"));
      for (const { directory } of members) graph.faults.set(directory, reason);
      continue;
    }
    await addListing(graph, mounts, { ...listed, source: await realpath(source), goModule, members });
    graph.required.set(goModule, await listRequiredModules(mounts, cwd));
  }
  // Where nothing loads because nothing could be had, no program is at fault.
  if (graph.roots.size === 0) requireReached(unreached);
  return graph;
}

interface Listing {
  /** Go names directories by their real paths. */
  readonly source: string;
  readonly goModule: string;
  readonly members: readonly Program[];
  readonly packages: readonly ListedPackage[];
  readonly stderr: string;
}

interface GrowingGraph {
  readonly packages: Map<string, Package>;
  readonly roots: Map<string, string>;
  readonly faults: Map<string, string>;
  readonly skipped: string[];
}

async function addListing(graph: GrowingGraph, mounts: GoMounts, listing: Listing): Promise<void> {
  const { source, goModule, members, packages, stderr } = listing;
  const entries = new Map(packages.map((entry) => [entry.ImportPath, entry]));
  const keyOf = (importPath: string) => packageKey(entries.get(importPath), importPath, source);
  for (const entry of packages) {
    const key = keyOf(entry.ImportPath);
    if (!graph.packages.has(key)) graph.packages.set(key, await readPackage(mounts, entry, keyOf));
  }
  const byDirectory = new Map(packages.map((entry) => [entry.Dir, entry]));
  const neededBy = needsOf(packages);
  for (const { directory } of members) {
    const entry = byDirectory.get(path.join(source, directory)) ?? entryWithoutDirectory(packages, directory, goModule);
    if (entry === undefined) {
      graph.faults.set(directory, `go list does not know ${directory} in ${path.posix.join(goModule, "go.mod")}`);
      continue;
    }
    const faulty = neededBy(entry).find((candidate) => candidate.Error !== undefined) ?? entry;
    const fault = await explainedFault(faulty, outsideMounts(mounts, faulty.Dir ?? "/"), stderr);
    if (fault !== undefined) graph.faults.set(directory, fault);
    else if (entry.Name !== "main") graph.skipped.push(directory);
    else if (await declaresMain(entry)) graph.roots.set(directory, keyOf(entry.ImportPath));
    else graph.faults.set(directory, "function main is undeclared in the main package");
  }
}

/** Whether a main package has its function, which the linker alone asks for, and warming does not link. */
async function declaresMain(entry: ListedPackage): Promise<boolean> {
  const { Dir: directory = "", GoFiles: names = [] } = entry;
  const texts = await Promise.all(names.map((name) => readText(path.join(directory, name))));
  return names.length === 0 || texts.some((text) => /^func\s+main\s*\(/m.test(text));
}

/** Of a listing, what gives the packages that a build of one of them compiles, itself first. */
export function needsOf(packages: readonly ListedPackage[]): (entry: ListedPackage) => readonly ListedPackage[] {
  const entries = new Map(packages.map((entry) => [entry.ImportPath, entry]));
  const imports = new Map(packages.map((entry) => [entry.ImportPath, { imports: importsOf(entry) }]));
  return (entry) => [...closureOf(imports, [entry.ImportPath])].flatMap((name) => entries.get(name) ?? []);
}

/** A program whose path is no import path: Go says so of the import path alone. */
function entryWithoutDirectory(
  packages: readonly ListedPackage[],
  directory: string,
  goModule: string,
): ListedPackage | undefined {
  const below = path.posix.relative(goModule, directory);
  return packages.find((entry) => entry.Dir === undefined && entry.ImportPath.endsWith(`/${below}`));
}

/** What tells a package apart from others of the same import path. */
export function packageKey(entry: ListedPackage | undefined, importPath: string, source: string): string {
  if (entry === undefined || entry.Standard === true) return importPath;
  const goModule = goModuleOf(entry);
  if (goModule !== undefined) return `${importPath}@${goModule.slice(goModule.lastIndexOf("@") + 1)}`;
  return entry.Dir === undefined ? importPath : `./${path.relative(source, entry.Dir)}`;
}

/** `./`-paths of programs, relative to the directory of their go.mod. */
export function packageArguments(programs: readonly Program[]): readonly string[] {
  return programs.map(({ goModule, directory }) => `./${path.posix.relative(goModule, directory)}`);
}

async function readPackage(
  mounts: GoMounts,
  entry: ListedPackage,
  keyOf: (importPath: string) => string,
): Promise<Package> {
  const directory = outsideMounts(mounts, entry.Dir ?? "/");
  const files = [...(entry.GoFiles ?? []), ...(entry.SFiles ?? [])];
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(path.resolve(directory, file)).catch(() => undefined))?.size ?? 0),
  );
  const goModule = goModuleOf(entry);
  return {
    importPath: entry.ImportPath,
    standard: entry.Standard ?? false,
    main: entry.Name === "main",
    ...(goModule === undefined ? {} : { goModule }),
    imports: importsOf(entry).map(keyOf),
    sourceBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** Where a path that Go saw at an image path stands on this machine. */
export function outsideMounts(mounts: GoMounts, file: string): string {
  const { paths } = mounts.contract;
  for (const [inside, outside] of [
    [paths.goModCache, mounts.goModCache],
    [paths.goRoot, mounts.goRoot],
  ] as const) {
    if (file.startsWith(`${inside}/`)) return path.join(outside, file.slice(inside.length));
  }
  return file;
}
