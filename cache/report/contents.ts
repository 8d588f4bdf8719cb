import type { Timings } from "../timings.ts";
import type { Verification } from "../verify.ts";
import type { CacheReport } from "../report.ts";
import { PROGRAMS } from "./cache-sizes.ts";
import type { PackageSize } from "./size-tree.ts";

/** All that a page shows of one cache directory or image. */
export interface Contents {
  /** What it is called: a path or a reference. */
  readonly name: string;
  readonly report: CacheReport;
  /** Absent where it is not known what its layers hold. */
  readonly sizes?: readonly PackageSize[];
}

/** What compiling and building were seen to take. */
export interface Measured {
  readonly timings?: Timings | undefined;
  readonly verification?: Verification | undefined;
}

/** One program, as far as it is known. */
export interface ProgramRow {
  readonly directory: string;
  readonly bytes?: number;
  readonly compressed?: number;
  /** Seconds of linking it, of its first build in the cache or image, and of the same again. */
  readonly link?: number;
  readonly first?: number;
  readonly again?: number;
}

/** The programs of a cache or image with their sizes and times. */
export function programRows(
  { report, sizes = [] }: Contents,
  { timings, verification }: Measured,
): readonly ProgramRow[] {
  const known = new Map(sizes.filter(({ goModule }) => goModule === PROGRAMS).map((size) => [size.name, size]));
  const checks = new Map(verification?.programs.map((check) => [check.directory, check]));
  return report.programs.map((directory) => {
    const [size, check, link] = [known.get(directory), checks.get(directory), timings?.links?.[directory]];
    return {
      directory,
      ...(size === undefined ? {} : { bytes: size.bytes, compressed: size.compressed }),
      ...(link === undefined ? {} : { link }),
      ...(check === undefined ? {} : { first: check.firstSeconds }),
      ...(check?.secondSeconds === undefined ? {} : { again: check.secondSeconds }),
    };
  });
}

/** CPU seconds that compiling the packages of each layer took, cold. Empty where no times were noted. */
export function coldSeconds({ sizes = [] }: Contents, { timings }: Measured): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  if (timings === undefined) return found;
  for (const { provider, name } of sizes) {
    const seconds = timings.seconds[name];
    if (seconds !== undefined) found.set(provider, (found.get(provider) ?? 0) + seconds);
  }
  return found;
}
