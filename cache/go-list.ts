import { runGo, type GoMounts, type MountedRunOptions } from "./go-command.ts";

/** What `go list -json` says of a package, as far as kiln reads it. */
export interface ListedPackage {
  readonly ImportPath: string;
  readonly Name?: string;
  readonly Dir?: string;
  readonly Standard?: boolean;
  readonly Module?: ListedModule & { readonly Replace?: ListedModule };
  readonly GoFiles?: readonly string[];
  readonly SFiles?: readonly string[];
  readonly Imports?: readonly string[];
  readonly ImportMap?: Readonly<Record<string, string>>;
  readonly Error?: { readonly Err: string };
  readonly DepsErrors?: readonly { readonly Err: string }[];
}

interface ListedModule {
  readonly Path: string;
  readonly Version?: string;
}

const FIELDS = "ImportPath,Name,Dir,Standard,Module,GoFiles,SFiles,Imports,ImportMap,Error,DepsErrors";

/**
 * Lists packages and all that they import, under the contract's build flags, faulty ones included. With `compile` Go also
 * runs every compile action that a `go build` of them would, and no link: names of packages come on standard error.
 */
export async function listPackages(
  mounts: GoMounts,
  names: readonly string[],
  options: MountedRunOptions & { readonly compile?: boolean },
): Promise<{ readonly code: number; readonly stderr: string; readonly packages: readonly ListedPackage[] }> {
  const { compile = false, ...rest } = options;
  const flags = ["-e", "-deps", ...(compile ? ["-v", "-export"] : []), ...mounts.contract.flags];
  const { code, stdout, stderr } = await runGo(mounts, ["list", ...flags, `-json=${FIELDS}`, ...names], rest);
  return { code, stderr, packages: code === 0 ? parseJsonStream<ListedPackage>(stdout) : [] };
}

/** The import paths of a listed package, C left out. */
export function importsOf(entry: ListedPackage): readonly string[] {
  return (entry.Imports ?? []).map((name) => entry.ImportMap?.[name] ?? name).filter((name) => name !== "C");
}

/** `path@version` of the Go module that provides a package; undefined for the standard library and local directories. */
export function goModuleOf(entry: ListedPackage): string | undefined {
  const module = entry.Module?.Replace ?? entry.Module;
  return module?.Version === undefined ? undefined : `${module.Path}@${module.Version}`;
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
