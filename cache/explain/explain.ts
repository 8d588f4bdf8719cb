import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { BuildInputs } from "./build-inputs.ts";
import type { BuildContract } from "../contract.ts";
import { contractDifferences, differences, programBuild, type Difference, type Telling } from "./differences.ts";
import { readNewerGo } from "../go/directives.ts";
import { unreachedModule, withoutUserInfo } from "../go/fault.ts";
import { listBuild, type BuildPackage, type GoSite } from "./listed-build.ts";
import { readPresentBuild } from "./program-build.ts";
import type { Program } from "../programs.ts";
import { isDirectory, readGoModuleOf } from "../source-files.ts";
import type { Verification } from "../verify.ts";

/** What a cache or an image says of its warming. */
export interface WarmedCache {
  readonly contract: BuildContract;
  /** Directories of the programs that it is warm for. */
  readonly modules: readonly string[];
  readonly failed: Readonly<Record<string, string>>;
  /** By provider; undefined where it does not say what it was warmed from. */
  readonly inputs: Readonly<Record<string, BuildInputs>> | undefined;
}

/** Where and how a program would be built now. */
export interface PresentBuild {
  readonly site: GoSite;
  readonly contract: BuildContract;
  readonly telling: Telling;
  /** Really builds a program, offline, with nothing but the cache. */
  readonly verify: (program: Program) => Promise<Verification>;
}

/** Whether a program would be compiled again, and why. */
export interface Explanation {
  /** Its directory, relative to the source. */
  readonly module: string;
  readonly provider?: string;
  readonly warm: boolean;
  /** The first input that differs, or what else is the matter, in one line. */
  readonly line: string;
  /** All inputs that differ, the first to act on first. */
  readonly differences: readonly Difference[];
  /** Import paths that a build would compile at most, each after what it imports, and how many the program has. */
  readonly compiles?: { readonly packages: readonly string[]; readonly of: number };
  /** What Go says where it cannot load the program from the cache alone. */
  readonly fault?: string;
  /** Wall seconds of the real offline build, which is made where nothing is found to be missing. */
  readonly seconds?: number;
}

/** Explains what a build of the program in `directory` of the source would compile, without compiling. */
export async function explain(
  warmed: WarmedCache,
  present: PresentBuild,
  source: string,
  directory: string,
): Promise<Explanation> {
  const [provider, inputs] = Object.entries(warmed.inputs ?? {}).find(([, { programs }]) => programs[directory]) ?? [];
  const before = inputs && programBuild(inputs, warmed.contract, directory);
  const listed = await listBuild(present.site, present.contract.flags, directory, ["."], true);
  const said = listed.fault ?? listed.packages.find((entry) => entry.Error !== undefined)?.Error?.Err;
  const fault = said === undefined ? undefined : offlineFault(said);
  const main = listed.packages.at(-1);
  if (before === undefined && listed.fault === undefined && main?.Name !== "main") {
    throw new KilnError("usage", `${directory} holds no Go main package`, { mend: MODULE_MEND });
  }
  const after = await readPresentBuild(present.site, present.contract, source, directory, listed.packages, before);
  const goModule = await readGoModuleOf(source, directory);
  const found = [
    ...(await newerGo(source, goModule, present.contract, listed.fault !== undefined)),
    ...(before
      ? differences(before, after, present.telling)
      : contractDifferences(warmed.contract, present.contract, present.telling)),
  ];
  const missed = missedPackages(listed.packages);
  const common = {
    module: directory,
    ...(provider === undefined ? {} : { provider }),
    differences: found,
    ...(fault === undefined ? {} : { fault }),
    ...(listed.fault !== undefined ? {} : { compiles: { packages: missed.all, of: missed.of } }),
  };
  // What was warmed under another contract counts as cold, as it does for `cache verify`, whatever its entries are.
  const foreign = found.some(({ kind }) => kind === "contract");
  if (fault !== undefined || foreign || missed.all.length > 0) {
    return {
      ...common,
      warm: false,
      line: firstLine(warmed, directory, found, fault, missed.deepest, present.telling),
    };
  }
  const verification = await present.verify({ provider: provider ?? "", module: "", directory, goModule });
  const [check] = verification.programs;
  const seconds = check?.firstSeconds ?? 0;
  if (verification.passed) {
    const line = `${directory} is warm: nothing would be compiled`;
    return { ...common, warm: true, line, seconds };
  }
  const [missing] = check?.compiled ?? [];
  const line =
    missing === undefined
      ? `${directory} does not build from the cache alone: ${check?.error?.split("\n").at(-1) ?? ""}`
      : lostEntry(missing, present.telling);
  return { ...common, warm: false, line, seconds };
}

/** A go.mod that wants a newer Go than builds here: what Go refuses, or else only passes over. */
async function newerGo(
  source: string,
  goModule: string,
  { goVersion }: BuildContract,
  refused: boolean,
): Promise<readonly Difference[]> {
  const line = await readNewerGo(source, goModule, goVersion);
  if (line === undefined) return [];
  return [{ kind: refused ? "go line" : "note", input: path.posix.join(goModule, "go.mod"), line }];
}

/** What `--module` means, for every error about it. */
export const MODULE_MEND =
  "--module is the directory of one Go program, relative to --source (default: the current directory).";

/** The directory that `--module` names, relative to the source. Throws a usage error with the nearest known ones. */
export async function programDirectory(source: string, module: string, known: readonly string[]): Promise<string> {
  const directory = path.posix.normalize(path.relative(source, path.resolve(source, module)) || ".");
  if (directory.startsWith("../") || directory === "..") {
    throw new KilnError("usage", `${module} is not below the source ${source}`, { mend: MODULE_MEND });
  }
  if (await isDirectory(path.join(source, directory))) return directory;
  const near = nearest(directory, known);
  const like = near.length > 0 ? ` Programs with a like name: ${near.join(", ")}.` : "";
  throw new KilnError("usage", `there is no directory ${directory} in ${source}`, { mend: `${MODULE_MEND}${like}` });
}

const NEAREST = 3;

/** The names most like another: those that share most of its beginning and its end. */
export function nearest(name: string, known: readonly string[]): readonly string[] {
  const reversed = (text: string) => Array.from(text).reverse().join("");
  const likeness = (other: string) => commonStart(name, other) + commonStart(reversed(name), reversed(other));
  return known
    .filter((other) => other !== name)
    .map((other) => ({ other, like: likeness(other) }))
    .sort((a, b) => b.like - a.like || (a.other < b.other ? -1 : 1))
    .slice(0, NEAREST)
    .map(({ other }) => other);
}

function commonStart(left: string, right: string): number {
  let length = 0;
  while (length < left.length && length < right.length && left[length] === right[length]) length++;
  return length;
}

/** Go's words, with what it looked for in vain on the network told as what it is. */
function offlineFault(said: string): string {
  const unreached = unreachedModule(said);
  return unreached === undefined ? withoutUserInfo(said) : `${unreached.module} is not in the cache`;
}

function firstLine(
  warmed: WarmedCache,
  directory: string,
  found: readonly Difference[],
  fault: string | undefined,
  deepest: string | undefined,
  telling: Telling,
): string {
  const [first] = found.filter(({ kind }) => kind !== "note");
  // An image that kiln did not compose does not tell its programs.
  const told = warmed.modules.length > 0 || warmed.inputs !== undefined;
  if (told && !warmed.modules.includes(directory)) return neverWarmed(warmed, directory, telling);
  if (first !== undefined) return first.line;
  if (fault !== undefined) return `Go cannot load ${directory} from the cache alone: ${fault.split("\n")[0] ?? ""}`;
  if (warmed.inputs !== undefined) return lostEntry(deepest ?? "", telling);
  return `${deepest ?? ""} would be compiled, and what ${directory} was warmed from was not noted: ${telling.again} with this kiln to be told the input`;
}

function neverWarmed({ failed, modules, inputs }: WarmedCache, directory: string, { again }: Telling): string {
  const reason = failed[directory];
  if (reason !== undefined) return `${directory} did not compile when it was to be warmed: ${reason}`;
  const providers = Object.keys(inputs ?? {});
  const of = providers.length > 0 ? ` of ${providers.join(", ")}` : "";
  const like =
    modules.length > 0
      ? `; ${modules.length} programs${of} are warm, such as ${nearest(directory, modules).join(", ")}`
      : "";
  return `${directory} was never warmed: ${again} with a --modules pattern that matches it${like}`;
}

function lostEntry(importPath: string, { again }: Telling): string {
  return `the entry of ${importPath} is missing from the cache or damaged, all inputs being those of its warming: ${again}`;
}

/** Packages whose compile action Go would run, by its own account, and the first of those on which the others depend. */
export function missedPackages(listed: readonly BuildPackage[]): {
  readonly all: readonly string[];
  readonly deepest: string | undefined;
  readonly of: number;
} {
  // The package unsafe is part of the compiler.
  const compiled = listed.filter((entry) => entry.ImportPath !== "unsafe");
  const missed = compiled.filter(({ Stale, StaleReason }) => Stale === true && StaleReason !== ONLY_NOT_INSTALLED);
  const deepest = missed.find(({ StaleReason }) => StaleReason?.startsWith("stale dependency") !== true);
  return { all: missed.map((entry) => entry.ImportPath), deepest: deepest?.ImportPath, of: compiled.length };
}

const ONLY_NOT_INSTALLED = "not installed but available in build cache";
