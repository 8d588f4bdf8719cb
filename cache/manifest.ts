import { appendFile, lstat, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import { CONTRACT_LABEL, MODULES_LABEL, type BuildContract } from "./contract.ts";
import type { BuildInputs } from "./explain/build-inputs.ts";
import { manifestFault } from "./manifest-fault.ts";
import type { ProgramDelivery } from "./program-delivery.ts";
import type { ProgramReads } from "./program-reads.ts";

export type { ProgramDelivery };

export const MANIFEST_FILE = "manifest.json";
export const MANIFEST_VERSION = 2;

/** What of a cache directory one provider's programs read. */
export interface ProviderClosure {
  /** Names below go-build/, such as `0a/0a1b…-d`: actions and outputs, those of linked programs included. Sorted. */
  readonly goBuild: readonly string[];
  /** Go modules, `path@version`, whose sources it compiles or that a go.mod of its programs requires. Sorted. */
  readonly goMod: readonly string[];
  /** Files below go-mod/ that builds read, of the modules' source trees. Sorted. */
  readonly sources: readonly string[];
}

/** The finished program under its link action, by which `go build` finds it again until an input changes. */
export interface BuiltProgram {
  /** The names of its two entries below go-build/. */
  readonly action: string;
  readonly output: string;
  readonly bytes: number;
  /** What a build of it reads that was edited; a kiln that did not note it yet leaves it out. */
  readonly reads?: ProgramReads;
}

/** One binary that holds programs of a provider, each under a command name. */
export interface ProviderBinary {
  /** `binaries/<name>`: the first is named after the provider. */
  readonly file: string;
  readonly bytes: number;
  /** Command names by the programs' directories. */
  readonly names: Readonly<Record<string, string>>;
  /** Its programs cannot be started up to their main alone: nothing but their being there is checked. */
  readonly unproven?: true;
}

/** `manifest.json` of a cache directory: what it holds, for which contract, and where it must be mounted. */
export interface CacheManifest {
  readonly version: typeof MANIFEST_VERSION;
  readonly contract: BuildContract;
  readonly delivery: ProgramDelivery;
  /** Directories of the programs that it is warm for. Sorted. */
  readonly modules: readonly string[];
  /** Programs that could not be compiled, and the compiler's first error. */
  readonly failed: Readonly<Record<string, string>>;
  readonly closures: Readonly<Record<string, ProviderClosure>>;
  /** Linked programs by their directories. */
  readonly programs: Readonly<Record<string, BuiltProgram>>;
  /** Which package each compiled archive is of: keys of the build graph by names below go-build/. */
  readonly objects: Readonly<Record<string, string>>;
  /** Modules of the closures that no program compiles, of which the cache has no module index. Sorted. */
  readonly spare: readonly string[];
  /** By provider, where programs are delivered as binaries: mostly one, more where some programs cannot be joined. */
  readonly binaries?: Readonly<Record<string, readonly ProviderBinary[]>>;
  /** Modules that a go.mod requires and that could not be had, with the reason: Pulumi will look for them. */
  readonly missing?: Readonly<Record<string, string>>;
  /** What each provider's programs were built from; a kiln that did not note it yet leaves it out. */
  readonly inputs?: Readonly<Record<string, BuildInputs>>;
  /** Go modules of which only go.mod and version data are needed. Sorted. */
  readonly goModMetadata: readonly string[];
  readonly counts: { readonly goBuildEntries: number; readonly goModules: number; readonly bytes: number };
}

/** Labels by which an image with a cache's layers says what it is warm for. */
export function cacheLabels({ contract, modules }: CacheManifest): Readonly<Record<string, string>> {
  return { [CONTRACT_LABEL]: JSON.stringify(contract), [MODULES_LABEL]: modules.join(",") };
}

/** Reads a cache directory's manifest. Throws a usage error naming the file when it is missing or not one. */
export async function readManifest(directory: string): Promise<CacheManifest> {
  return readJson<CacheManifest>(
    path.join(directory, MANIFEST_FILE),
    "a cache directory",
    "Make one with `npx kiln cache warm`.",
    manifestFault,
    MANIFEST_VERSION,
  );
}

/**
 * Parses a JSON file of a version, naming what it should be, with the mend, when it is not; `faultOf` says what is wrong
 * inside it.
 */
export async function readJson<T extends { version: number }>(
  file: string,
  what: string,
  mend: string,
  faultOf: (document: Partial<T>) => string | undefined,
  version = 1,
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
  if (document?.version !== version) {
    const found = String(document?.version);
    throw new KilnError("usage", `${file} has version ${found}; this kiln reads version ${version}`, { mend });
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
  // In two parts: manifests have tens of megabytes, and a joined text would be a copy of it.
  await writeFile(`${file}.partial`, JSON.stringify(document, null, 1));
  await appendFile(`${file}.partial`, "\n");
  await rename(`${file}.partial`, file);
}
