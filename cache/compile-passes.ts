import { importsOf, type ListedPackage } from "./go/list.ts";
import { memoryFor, type CompileMemory } from "./memory.ts";

/** One Go command that compiles: these packages and all that they import, with its part of the machine. */
export interface CompilePass {
  readonly names: readonly string[];
  readonly memory: CompileMemory;
}

/** A package that one compiler's share of the memory does not suffice for. */
export interface Giant {
  readonly importPath: string;
  /** Estimated bytes of memory. */
  readonly bytes: number;
}

/**
 * What compilers were seen to take for each byte of the archive: 2.2 GB for the 165 MB of pulumi-auth0, 3.1 GB for the 262 MB
 * of aws/ec2, 11 GB for the 1,040 MB of pulumi-cloudflare v6.
 */
const MEMORY_FOR_ARCHIVE = 13;

/**
 * The same for each byte of source, where no archive is known yet: pulumi-auth0 has 3.4 MB, aws/ec2 6.7 MB, and
 * pulumi-digitalocean took 4.7 GB for 7.5 MB.
 */
const MEMORY_FOR_SOURCE = 600;

/** Estimated bytes of memory to compile a package. */
export function compileBytes(sourceBytes: number, archiveBytes?: number): number {
  return archiveBytes === undefined ? sourceBytes * MEMORY_FOR_SOURCE : archiveBytes * MEMORY_FOR_ARCHIVE;
}

/** Packages whose estimate is beyond a compiler's share, each after the giants that it imports itself. */
export function giantsOf(
  packages: readonly ListedPackage[],
  estimates: ReadonlyMap<string, number>,
  share: number,
): readonly Giant[] {
  // `go list -deps` names a package after all that it imports.
  return packages.flatMap(({ ImportPath: importPath }) => {
    const bytes = estimates.get(importPath) ?? 0;
    return bytes > share ? [{ importPath, bytes }] : [];
  });
}

/** What is left beside giants is worth a Go command of its own from this share on: ordinary packages take half of it. */
const LEAST_BESIDE = 0.5 * 1024 ** 3;

/**
 * The passes before the one that builds what was asked for: stages, one after the other, each of passes that run at once.
 * First what giants import; then the giants, as many at once as the memory holds, beside everything that imports none of
 * them. None where there is no giant.
 */
export function passesBefore(
  packages: readonly ListedPackage[],
  giants: readonly Giant[],
  bytes: number,
  cores: number,
): readonly (readonly CompilePass[])[] {
  if (giants.length === 0) return [];
  const gigantic = new Set(giants.map(({ importPath }) => importPath));
  const needs = new Set<string>(gigantic);
  const first: string[] = [];
  const beside: string[] = [];
  for (const entry of packages) {
    const imports = importsOf(entry);
    if (gigantic.has(entry.ImportPath)) first.push(...imports.filter((name) => !gigantic.has(name)));
    else if (imports.some((name) => needs.has(name))) needs.add(entry.ImportPath);
    else if (entry.Standard !== true) beside.push(entry.ImportPath);
  }
  // What std has vendored cannot be named, and comes with what imports it.
  const importedFirst = [...new Set(first)].filter((name) => !needs.has(name) && !/^(?:unsafe$|vendor\/)/.test(name));
  const [own, rest] = partMemory(giants, bytes, cores, beside.length > 0);
  return [
    ...(importedFirst.length > 0 ? [[{ names: importedFirst, memory: memoryFor(bytes, cores) }]] : []),
    [{ names: [...gigantic], memory: own }, ...(rest === undefined ? [] : [{ names: beside, memory: rest }])],
  ];
}

/** The machine's part for giants, and that for what is compiled beside them, nothing where both do not go together. */
function partMemory(
  giants: readonly Giant[],
  bytes: number,
  cores: number,
  isMore: boolean,
): readonly [CompileMemory, CompileMemory?] {
  const largest = giants.map((giant) => giant.bytes).sort((a, b) => b - a);
  const atOnce = (least: (count: number) => number) => {
    const counts = largest.slice(0, cores).map((_, index) => index + 1);
    return counts.findLast((count) => sum(largest.slice(0, count)) <= bytes - least(count)) ?? 0;
  };
  const leastBeside = (count: number) => (cores - count) * LEAST_BESIDE;
  const beside = isMore ? atOnce((count) => Math.max(LEAST_BESIDE, leastBeside(count))) : 0;
  const count =
    beside > 0
      ? beside
      : Math.max(
          1,
          atOnce(() => 0),
        );
  if (beside === 0 || beside >= cores) return [partOf(bytes, count)];
  // A giant gets a quarter more than its estimate, where the machine has it.
  const own = Math.min(sum(largest.slice(0, count)) * 1.25, bytes - leastBeside(count));
  return [partOf(own, count), memoryFor(bytes - own, cores - count)];
}

/** Equal shares of `bytes`, however small: there is no way around compiling a giant. */
function partOf(bytes: number, count: number): CompileMemory {
  return { ...memoryFor(bytes, count), procs: count, share: bytes / count };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
