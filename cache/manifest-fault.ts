import path from "node:path";
import { MODULE_VERSION, moduleFiles } from "./closure.ts";
import { contractFault } from "./contract.ts";
import { isMap, isTextMap, isTexts } from "./document.ts";
import { inputsFault } from "./explain/build-inputs.ts";
import type { CacheManifest } from "./manifest.ts";
import { PROGRAM_DELIVERIES } from "./program-delivery.ts";
import { readsFault } from "./program-reads.ts";

const ENTRY = /^[0-9a-f]{2}\/[0-9a-f]{64}-[ad]$/;
const ACTION = /^[0-9a-f]{2}\/[0-9a-f]{64}-a$/;
const OUTPUT = /^[0-9a-f]{2}\/[0-9a-f]{64}-d$/;

/** What a manifest must have, and what it may leave out, at its first level. */
const PARTS = [
  ...["contract", "modules", "failed", "closures", "programs", "objects", "spare", "goModMetadata", "counts"],
] as const;

/**
 * What is wrong with a manifest, or undefined. Shards come from other machines: a name that leads out of the cache would
 * put any file of this one into a layer.
 */
export function manifestFault(document: Partial<CacheManifest>): string | undefined {
  const parts = document as Readonly<Record<string, unknown>>;
  const absent = PARTS.find((name) => typeof parts[name] !== "object" || parts[name] === null);
  if (absent !== undefined) return `it has no ${absent}`;
  const wrong = contractFault(document.contract);
  if (wrong !== undefined) return wrong;
  const { modules, failed, missing, closures, goModMetadata, spare, delivery } = parts;
  if (!isTexts(modules) || !isTextMap(failed) || !isTexts(goModMetadata) || !isTexts(spare) || !isMap(closures)) {
    return "its modules, failed, closures, spare or goModMetadata are none";
  }
  if (missing !== undefined && !isTextMap(missing)) return "its missing modules are none";
  if (!PROGRAM_DELIVERIES.some((name) => name === delivery)) return `its delivery is ${JSON.stringify(delivery)}`;
  const module = [...goModMetadata, ...spare].find((name) => !MODULE_VERSION.test(name));
  if (module !== undefined) return `"${module}" is no version of a Go module`;
  return (
    closuresFault(closures) ??
    programsFault(parts.programs) ??
    objectsFault(parts.objects) ??
    binariesFault(parts.binaries) ??
    inputsFault(document.inputs)
  );
}

function closuresFault(closures: Readonly<Record<string, unknown>>): string | undefined {
  for (const [provider, closure] of Object.entries(closures)) {
    const sound = isMap(closure) && isTexts(closure.goBuild) && isTexts(closure.goMod) && isTexts(closure.sources);
    if (!sound || !isProvider(provider)) return `its closure of ${provider} is not one`;
    const { goBuild, goMod, sources } = closure as { goBuild: string[]; goMod: string[]; sources: string[] };
    const entry = goBuild.find((name) => !ENTRY.test(name));
    if (entry !== undefined) return `"${entry}" is no entry of a build cache`;
    const module = goMod.find((name) => !MODULE_VERSION.test(name));
    if (module !== undefined) return `"${module}" is no version of a Go module`;
    const trees = new Set(goMod.map((name) => moduleFiles(name).tree));
    const source = sources.find((name) => path.posix.normalize(name) !== name || !trees.has(treeOf(name)));
    if (source !== undefined) return `"${source}" is no file of a module that ${provider} compiles`;
  }
  return undefined;
}

/** The module tree that a file below GOMODCACHE stands in: only the version in its path has an @ before it. */
function treeOf(file: string): string {
  return file.slice(0, Math.max(0, file.indexOf("/", file.indexOf("@"))));
}

function programsFault(programs: unknown): string | undefined {
  if (!isMap(programs)) return "its programs are none";
  const [directory] =
    Object.entries(programs).find(
      ([, program]) =>
        !isMap(program) ||
        !ACTION.test(String(program.action)) ||
        !OUTPUT.test(String(program.output)) ||
        !isCount(program.bytes),
    ) ?? [];
  if (directory !== undefined) return `its program ${directory} is not one`;
  return Object.values(programs)
    .map((program) => (program as { reads?: unknown }).reads)
    .map((reads) => (reads === undefined ? undefined : readsFault(reads)))
    .find((fault) => fault !== undefined);
}

function objectsFault(objects: unknown): string | undefined {
  if (!isTextMap(objects)) return "its objects are none";
  const entry = Object.keys(objects).find((name) => !OUTPUT.test(name));
  return entry === undefined ? undefined : `"${entry}" is no output of a build cache`;
}

function binariesFault(binaries: unknown): string | undefined {
  if (binaries === undefined) return undefined;
  if (!isMap(binaries)) return "its binaries are none";
  for (const [provider, list] of Object.entries(binaries)) {
    if (!Array.isArray(list) || !isProvider(provider)) return `its binaries of ${provider} are none`;
    for (const binary of list as readonly unknown[]) {
      const sound = isMap(binary) && isCount(binary.bytes) && isTextMap(binary.names) && isBinary(binary.file);
      if (!sound) return `its binary ${JSON.stringify(binary)} of ${provider} is not one`;
      const names = Object.values(binary.names as Readonly<Record<string, string>>);
      const command = names.find((name) => !/^[\w.+-]+$/.test(name) || !isProvider(name));
      if (command !== undefined) return `"${command}" cannot be a command's name`;
    }
  }
  return undefined;
}

function isBinary(file: unknown): boolean {
  return typeof file === "string" && file.startsWith("binaries/") && isProvider(file.slice("binaries/".length));
}

/** Whether a text can be a file's name, as those of providers are in layers and packs. */
function isProvider(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
