import { lstat, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import { inputsFault, type BuildInputs } from "./explain/build-inputs.ts";
import { isMap, isTextMap, isTexts } from "./document.ts";
import { contractFault, type BuildContract } from "./contract.ts";

export const MANIFEST_FILE = "manifest.json";

/** What of a cache directory one provider's programs read. */
export interface ProviderClosure {
  /** Names below go-build/, such as `0a/0a1b…-d`. Sorted. */
  readonly goBuild: readonly string[];
  /** Go modules, `path@version`, whose sources it compiles. Sorted. */
  readonly goMod: readonly string[];
}

/** `manifest.json` of a cache directory: what it holds, for which contract, and where it must be mounted. */
export interface CacheManifest {
  readonly version: 1;
  readonly contract: BuildContract;
  /** Directories of the programs that it is warm for. Sorted. */
  readonly modules: readonly string[];
  /** Programs that could not be compiled, and the compiler's first error. */
  readonly failed: Readonly<Record<string, string>>;
  readonly closures: Readonly<Record<string, ProviderClosure>>;
  /** Modules that a go.mod requires and that could not be had, with the reason: Pulumi will look for them. */
  readonly missing?: Readonly<Record<string, string>>;
  /** What each provider's programs were built from; a kiln that did not note it yet leaves it out. */
  readonly inputs?: Readonly<Record<string, BuildInputs>>;
  /** Go modules of which only go.mod and version data are needed. Sorted. */
  readonly goModMetadata: readonly string[];
  readonly counts: { readonly goBuildEntries: number; readonly goModules: number; readonly bytes: number };
}

const ENTRY = /^[0-9a-f]{2}\/[0-9a-f]{64}-[ad]$/;
/** `path@version` of a Go module that stands nowhere else than below GOMODCACHE. */
export const MODULE_VERSION = /^(?!.*(?:^|\/)\.\.?(?:\/|@))[^\s@/][^\s@]*@v[^\s@/]+$/;

/**
 * What is wrong with a manifest, or undefined. Shards come from other machines: a name that leads out of the cache would
 * put any file of this one into a layer.
 */
export function manifestFault(document: Partial<CacheManifest>): string | undefined {
  const { contract, modules, failed, missing, closures, goModMetadata, counts } = document;
  const parts: Readonly<Record<string, unknown>> = { contract, modules, failed, closures, goModMetadata, counts };
  const absent = Object.keys(parts).find((name) => typeof parts[name] !== "object" || parts[name] === null);
  if (absent !== undefined) return `it has no ${absent}`;
  const wrong = contractFault(contract);
  if (wrong !== undefined) return wrong;
  if (!isTexts(modules) || !isTextMap(failed) || !isTexts(goModMetadata) || !isMap(closures)) {
    return "its modules, failed, closures or goModMetadata are none";
  }
  if (missing !== undefined && !isTextMap(missing)) return "its missing modules are none";
  for (const [provider, closure] of Object.entries(closures as Readonly<Record<string, unknown>>)) {
    if (!isMap(closure) || !isTexts(closure.goBuild) || !isTexts(closure.goMod) || provider.includes("/")) {
      return `its closure of ${provider} is not one`;
    }
    const entry = closure.goBuild.find((name) => !ENTRY.test(name));
    if (entry !== undefined) return `"${entry}" is no entry of a build cache`;
    const module = closure.goMod.find((name) => !MODULE_VERSION.test(name));
    if (module !== undefined) return `"${module}" is no version of a Go module`;
  }
  const module = goModMetadata.find((name) => !MODULE_VERSION.test(name));
  if (module !== undefined) return `"${module}" is no version of a Go module`;
  return inputsFault(document.inputs);
}

/** Reads a cache directory's manifest. Throws a usage error naming the file when it is missing or not one. */
export async function readManifest(directory: string): Promise<CacheManifest> {
  return readJson<CacheManifest>(
    path.join(directory, MANIFEST_FILE),
    "a cache directory",
    "Make one with `npx kiln cache warm`.",
    manifestFault,
  );
}

/**
 * Parses a JSON file with a version 1, naming what it should be, with the mend, when it is not; `faultOf` says what is wrong
 * inside it.
 */
export async function readJson<T extends { version: number }>(
  file: string,
  what: string,
  mend: string,
  faultOf: (document: Partial<T>) => string | undefined,
): Promise<T> {
  let document: Partial<T> | null;
  try {
    document = JSON.parse(await readFile(file, "utf8")) as Partial<T> | null;
  } catch (cause) {
    throw new KilnError("usage", `${file} is not ${what}: ${messageOf(cause)}`, {
      mend,
      cause,
    });
  }
  if (document?.version !== 1) {
    throw new KilnError("usage", `${file} has version ${String(document?.version)}; this kiln reads version 1`, {
      mend,
    });
  }
  const fault = faultOf(document);
  if (fault !== undefined) throw new KilnError("usage", `${file} is not ${what}: ${fault}`, { mend });
  return document as T;
}

/**
 * Writes a JSON file beside its place and renames it, so that a reader never sees half of one. Throws a usage error where
 * something else than a file stands there: a device would be one no more.
 */
export async function writeJson(file: string, document: unknown): Promise<void> {
  const there = await lstat(file).catch(() => undefined);
  if (there !== undefined && !there.isFile()) {
    throw new KilnError("usage", `${file} is no file, and kiln will not replace it`, { mend: "Choose another --out." });
  }
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.partial`, `${JSON.stringify(document, null, 1)}\n`);
  await rename(`${file}.partial`, file);
}
