import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { GoMounts } from "./go-command.ts";
import { faultOf, goModuleOf, importsOf, listPackages, type ListedPackage } from "./go-list.ts";
import type { Program } from "./programs.ts";

/** One Go package of the build graph. */
export interface Package {
  readonly importPath: string;
  readonly standard: boolean;
  readonly main: boolean;
  /** `path@version` of the Go module that provides it; absent for the standard library and the repository's own. */
  readonly goModule?: string;
  readonly imports: readonly string[];
  /** Bytes of source that the compiler reads: what its compile time is estimated by. */
  readonly sourceBytes: number;
}

export interface Graph {
  readonly packages: ReadonlyMap<string, Package>;
  /** The import path of each program that loads, by its directory. */
  readonly roots: ReadonlyMap<string, string>;
  /** Why a program does not load, by its directory. */
  readonly faults: ReadonlyMap<string, string>;
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
 * Reads the build graph of programs with `go list`, which fetches what GOMODCACHE does not hold yet.
 * A program that does not load becomes a fault; only a go.mod that cannot be read at all throws.
 */
export async function readGraph(
  mounts: GoMounts,
  source: string,
  programs: readonly Program[],
  progress: Progress,
): Promise<Graph> {
  const packages = new Map<string, Package>();
  const roots = new Map<string, string>();
  const faults = new Map<string, string>();

  for (const [goModule, members] of Map.groupBy(programs, (program) => program.goModule)) {
    const cwd = path.join(source, goModule);
    let fetched = 0;
    const listed = await listPackages(mounts, packageArguments(members), {
      cwd,
      onStderrLine: (line) => {
        const module = /^go: downloading (\S+) (\S+)/.exec(line);
        if (module) progress.update(`fetching ${module[1] ?? ""}`, ++fetched, 0);
      },
      allowFailure: true,
    });
    if (listed.code !== 0) {
      throw new KilnError("failed", `Go cannot read ${path.posix.join(goModule, "go.mod")}:\n${listed.stderr.trim()}`, {
        mend: "Correct the go.mod and go.sum (`go mod tidy`), or reach the module proxy that GOPROXY names.",
      });
    }
    // Go names directories by their real paths.
    const root = await realpath(source);
    const directories = new Map(members.map((program) => [path.join(root, program.directory), program.directory]));
    for (const entry of listed.packages) {
      packages.set(entry.ImportPath, await readPackage(mounts, entry));
      const directory = directories.get(entry.Dir ?? "");
      if (directory === undefined) continue;
      const fault = faultOf(entry);
      if (fault === undefined) roots.set(directory, entry.ImportPath);
      else faults.set(directory, fault.trim());
    }
    for (const program of members) {
      if (!roots.has(program.directory) && !faults.has(program.directory)) {
        faults.set(program.directory, `go list does not know ${program.directory} in ${goModule}/go.mod`);
      }
    }
  }
  return { packages, roots, faults };
}

/** `./`-paths of programs, relative to the directory of their go.mod. */
export function packageArguments(programs: readonly Program[]): readonly string[] {
  return programs.map(({ goModule, directory }) => `./${path.posix.relative(goModule, directory)}`);
}

async function readPackage(mounts: GoMounts, entry: ListedPackage): Promise<Package> {
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
    imports: importsOf(entry),
    sourceBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** Where a path that Go saw at an image path stands on this machine. */
function outsideMounts(mounts: GoMounts, file: string): string {
  const { paths } = mounts.contract;
  for (const [inside, outside] of [
    [paths.goModCache, mounts.goModCache],
    [paths.goRoot, mounts.goRoot],
  ] as const) {
    if (file.startsWith(`${inside}/`)) return path.join(outside, file.slice(inside.length));
  }
  return file;
}
