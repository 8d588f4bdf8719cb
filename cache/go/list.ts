import { interruption } from "../../toolchain/process.ts";
import { runGo, type GoMounts, type MountedRunOptions } from "./command.ts";

/** Every kind of file that enters a compile action (buildActionID in cmd/go/internal/work/exec.go), as `go list` names it. */
export const SOURCE_FIELDS = [
  ...["GoFiles", "CgoFiles", "CFiles", "CXXFiles", "MFiles", "HFiles", "FFiles", "SFiles"],
  ...["SwigFiles", "SwigCXXFiles", "SysoFiles", "EmbedFiles"],
] as const;

/** What `go list -json` says of a package, as far as kiln reads it. */
export interface ListedPackage {
  readonly ImportPath: string;
  readonly Name?: string;
  readonly Dir?: string;
  readonly Standard?: boolean;
  readonly Module?: ListedModule & { readonly Replace?: ListedModule };
  readonly GoFiles?: readonly string[];
  readonly SFiles?: readonly string[];
  readonly IgnoredGoFiles?: readonly string[];
  readonly Imports?: readonly string[];
  readonly ImportMap?: Readonly<Record<string, string>>;
  /** The file that Go's build cache has of it: only with `-export`, and only where it compiles. */
  readonly Export?: string;
  readonly Error?: { readonly Err: string };
  readonly DepsErrors?: readonly { readonly Err: string }[];
}

interface ListedModule {
  readonly Path: string;
  readonly Version?: string;
  readonly GoMod?: string;
}

const FIELDS = [
  ...["ImportPath", "Name", "Dir", "Standard", "Module", "Imports", "ImportMap", "Export", "Error", "DepsErrors"],
  ...["IgnoredGoFiles", ...SOURCE_FIELDS],
].join(",");

/** What `go list` printed: its exit code, its standard error, and the packages, none where it failed as a whole. */
export interface PackageListing {
  readonly code: number;
  readonly stderr: string;
  readonly packages: readonly ListedPackage[];
}

/** How packages are compiled while they are listed. */
export interface CompileSettings {
  /** Compilers at once. */
  readonly procs: number;
  /** The file, as Go sees it, into which Go writes every action with the time that it took. */
  readonly actionGraph: string;
}

export interface ListOptions extends MountedRunOptions {
  readonly compile?: CompileSettings;
}

/**
 * Lists packages and all that they import, under the contract's build flags, faulty ones included. With `compile` Go also
 * runs every compile action that a `go build` of them would, and no link: names of packages come on standard error;
 * otherwise each request to the network does (`# get`).
 */
export async function listPackages(
  mounts: GoMounts,
  names: readonly string[],
  options: ListOptions,
): Promise<PackageListing> {
  const { compile, ...rest } = options;
  const own =
    compile === undefined
      ? ["-x"]
      : ["-v", "-export", `-p=${compile.procs}`, `-debug-actiongraph=${compile.actionGraph}`];
  const flags = ["-e", "-deps", ...own, ...mounts.contract.flags];
  const {
    code,
    stdout,
    stderr: printed,
  } = await runGo(mounts, ["list", ...flags, `-json=${FIELDS}`, "--", ...names], rest);
  const stderr = printed.replace(/^(?:# get |cd \/|\d+\.\d+s # ).*\n?/gm, "");
  return { code, stderr, packages: code === 0 ? parseJsonStream<ListedPackage>(stdout) : [] };
}

/** The files that a package is compiled from, relative to its directory. */
export function sourceFilesOf(entry: ListedPackage): readonly string[] {
  const listed = entry as unknown as Readonly<Record<string, readonly string[] | undefined>>;
  return [...new Set(SOURCE_FIELDS.flatMap((field) => listed[field] ?? []))].sort();
}

/** The import paths of a listed package, C left out. */
export function importsOf(entry: ListedPackage): readonly string[] {
  return (entry.Imports ?? []).map((name) => entry.ImportMap?.[name] ?? name).filter((name) => name !== "C");
}

/**
 * `path@version` of the Go module whose copy in GOMODCACHE provides a package; undefined for the standard library and for
 * what stands in the repository: its own packages, local replacements, vendor directories.
 */
export function goModuleOf(entry: ListedPackage): string | undefined {
  const module = entry.Module?.Replace ?? entry.Module;
  const vendored = entry.Dir?.endsWith(`/vendor/${entry.ImportPath}`) ?? false;
  return module?.Version === undefined || vendored ? undefined : `${module.Path}@${module.Version}`;
}

/**
 * The modules that the go.mod in `cwd` requires, indirect ones included, as `path@version` in the versions that a build
 * selects, sorted. This is what `pulumi-language-go` asks Go about before it runs a program. Empty for a vendored module,
 * of which Go knows no directory in GOMODCACHE.
 */
export async function listRequiredModules(mounts: GoMounts, cwd: string): Promise<readonly string[]> {
  const { stdout: document } = await runGo(mounts, ["mod", "edit", "-json"], { cwd });
  const { Require: required } = JSON.parse(document) as { Require?: readonly ListedModule[] | null };
  const names = (required ?? []).map(({ Path }) => Path);
  if (names.length === 0) return [];
  const asked = ["list", "-m", "-e", "-json=Path,Version,Replace", "--", ...names];
  const stdout = await outputInTime(mounts, asked, { cwd });
  return parseJsonStream<ListedModule & { readonly Replace?: ListedModule }>(stdout)
    .map((module) => module.Replace ?? module)
    .flatMap(({ Path, Version }) => (Version === undefined ? [] : [`${Path}@${Version}`]))
    .sort();
}

/** What no build reads may take this long to come, all together. */
const PATIENCE_MS = 10 * 60_000;

/** What Go prints on standard output; nothing where that takes too long, or where Go fails as a whole. */
async function outputInTime(mounts: GoMounts, args: readonly string[], options: MountedRunOptions): Promise<string> {
  const limit = AbortSignal.timeout(PATIENCE_MS);
  const signal = AbortSignal.any([interruption.signal, limit]);
  try {
    const { stdout } = await runGo(mounts, args, { ...options, signal, allowFailure: true });
    return stdout;
  } catch (error) {
    if (!limit.aborted || interruption.signal.aborted) throw error;
    return "";
  }
}

/** Fetches modules (`path@version`) with their version data into GOMODCACHE. Returns those that could not be had, with the reason. */
export async function downloadModules(
  mounts: GoMounts,
  modules: readonly string[],
  options: MountedRunOptions,
): Promise<ReadonlyMap<string, string>> {
  if (modules.length === 0) return new Map();
  const stdout = await outputInTime(mounts, ["mod", "download", "-json", "--", ...modules], options);
  const results = parseJsonStream<ListedModule & { readonly Error?: string }>(stdout);
  const known = new Map(results.map(({ Path, Version, Error: error }) => [`${Path}@${Version ?? ""}`, error]));
  return new Map(
    modules.flatMap((module) => {
      const error = known.has(module) ? known.get(module) : "Go gave no answer";
      return error === undefined ? [] : [[module, error.trim()] as const];
    }),
  );
}

/** Why a package cannot be built, as Go says it. */
export function faultOf(entry: ListedPackage): string | undefined {
  return entry.Error?.Err ?? entry.DepsErrors?.[0]?.Err;
}

/** The documents of a stream of concatenated, indented JSON objects, as `go list -json` prints them. */
export function parseJsonStream<T>(text: string): T[] {
  return text
    .split(/^\}\n?/m)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(`${part}}`) as T);
}
