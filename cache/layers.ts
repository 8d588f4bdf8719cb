import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { inputsLine, type BuildInputs } from "./explain/build-inputs.ts";
import type { CacheManifest, ProviderBinary, ProviderClosure } from "./manifest.ts";
import { BASE_SHARD } from "./plan.ts";
import type { ProgramDelivery } from "./program-delivery.ts";
import type { ProgramReads } from "./program-reads.ts";
import { readModuleMetadata } from "./store.ts";

/** The layer of what more than one provider reads. */
export const COMMON_LAYER = "common";

/** What one image layer holds. Lists are sorted. */
export interface CacheLayer {
  /** `common`, or the provider that alone reads it. */
  readonly name: string;
  readonly goBuild: readonly string[];
  /** Outputs among them that are never answered hollow: packages of the repository itself, which `go build -o` copies. */
  readonly whole: readonly string[];
  /** Archives among them that a packed layer has as files, for nothing to unpack (`withArchivesBeside`). */
  readonly beside: readonly string[];
  /** Outputs among them that are finished programs. */
  readonly programs: readonly string[];
  /** What builds of those programs read that were edited. */
  readonly reads: readonly ProgramReads[];
  /** Go modules whose sources it carries. */
  readonly goMod: readonly string[];
  /** Those of them that no program compiles, and whose index is therefore not among the entries. */
  readonly spare: readonly string[];
  /** Files below go-mod/ that builds read, of modules here or in `common`: what a packed layer has as plain files. */
  readonly sources: readonly string[];
  /** Go modules of which it carries what Pulumi asks Go about before a program runs, and no sources. */
  readonly ghosts: readonly string[];
  /** Go modules of which it carries only go.mod and version data, besides those of `goMod` and `ghosts`. */
  readonly goModMetadata: readonly string[];
  /** The provider's programs as binaries: one file for all of them, more where some cannot be joined. */
  readonly binaries: readonly ProviderBinary[];
  /** What the provider's programs were built from, for `kiln cache explain`. */
  readonly inputs?: BuildInputs;
}

/**
 * Divides a cache into layers: what one provider alone reads is its own layer, so that an edit of its programs moves no
 * other layer's digest; the rest is common, and first. Every entry, module and source file is in exactly one layer. With
 * binaries alone, entries and sources stay out.
 */
export function partition(
  manifest: CacheManifest,
  delivery: ProgramDelivery = manifest.delivery,
): readonly CacheLayer[] {
  const providers = Object.entries(manifest.closures).filter(([name]) => name !== BASE_SHARD);
  const owners = (pick: (closure: ProviderClosure) => readonly string[]) => {
    const owner = new Map<string, string>();
    for (const [provider, closure] of providers) {
      for (const name of pick(closure)) owner.set(name, owner.has(name) ? COMMON_LAYER : provider);
    }
    return Map.groupBy([...owner.keys()].sort(), (name) => owner.get(name) ?? COMMON_LAYER);
  };
  const caches = delivery !== "binaries";
  const goBuild = owners((closure) => (caches ? closure.goBuild : []));
  const sources = owners((closure) => (caches ? closure.sources : []));
  const goMod = owners((closure) => closure.goMod);
  const known = new Set([...goMod.values()].flat());
  const spare = new Set(manifest.spare);
  const programs = new Map(Object.values(manifest.programs).map((program) => [program.output, program]));

  return [COMMON_LAYER, ...providers.map(([provider]) => provider).sort()]
    .map((name): CacheLayer => {
      const [entries, modules] = [goBuild.get(name) ?? [], goMod.get(name) ?? []];
      return {
        name,
        goBuild: entries,
        whole: entries.filter((entry) => manifest.objects[entry]?.startsWith("./") === true),
        beside: [],
        programs: entries.filter((entry) => programs.has(entry)),
        reads: entries.flatMap((entry) => programs.get(entry)?.reads ?? []),
        goMod: caches ? modules : [],
        spare: caches ? modules.filter((module) => spare.has(module)) : [],
        sources: sources.get(name) ?? [],
        ghosts: caches ? [] : modules,
        goModMetadata: name === COMMON_LAYER ? manifest.goModMetadata.filter((module) => !known.has(module)) : [],
        binaries: delivery === "cache" ? [] : (manifest.binaries?.[name] ?? []),
        ...inputsOf(manifest, name),
      };
    })
    .filter(holdsAnything);
}

function inputsOf({ inputs }: CacheManifest, provider: string): { readonly inputs?: BuildInputs } {
  const own = inputs?.[provider];
  return own === undefined ? {} : { inputs: own };
}

function holdsAnything({ goBuild, goMod, sources, ghosts, goModMetadata, binaries, inputs }: CacheLayer): boolean {
  const lists = [goBuild, goMod, sources, ghosts, goModMetadata, binaries];
  return inputs !== undefined || lists.some((list) => list.length > 0);
}

/** Part of every layer key: raise it when the same content is to be written as other bytes. */
const LAYER_FORMAT = "kiln-layer-2";

/**
 * A digest of what a layer will hold, without reading it: outputs are named by their hash, sources by their module's
 * hash. `packer` is the digest of the program that packs it, nothing for a loose one. Equal keys give equal layers, so a
 * layer that a registry has under its key need not be written again.
 */
export async function layerKey(cache: string, layer: CacheLayer, packer?: string): Promise<string> {
  const hash = createHash("sha256").update(`${LAYER_FORMAT} ${packer ?? "loose"} ${layer.name}\n`);
  for (const name of layer.goBuild) {
    hash.update(`${name}\n`);
    if (name.endsWith("-a")) hash.update(await readFile(path.join(cache, "go-build", name)));
  }
  // The hash of a module's archive, among its metadata, stands for its sources.
  for (const modules of [layer.goMod, layer.ghosts, layer.goModMetadata]) {
    for (const module of modules) {
      hash.update(`${module}\n`);
      for (const name of await readModuleMetadata(path.join(cache, "go-mod"), module)) {
        hash.update(`${name} ${await readFile(path.join(cache, "go-mod", name), "utf8")}\n`);
      }
    }
    hash.update("\n");
  }
  if (packer !== undefined)
    hash.update(JSON.stringify([layer.sources, layer.whole, layer.spare, layer.reads, layer.beside]));
  for (const { file, names, unproven = false } of layer.binaries) {
    const said = JSON.stringify([file, unproven, Object.entries(names).sort()]);
    hash.update(`${said} ${await sha256Of(path.join(cache, file))}\n`);
  }
  if (layer.inputs !== undefined) hash.update(inputsLine(layer.name, layer.inputs));
  return hash.digest("hex");
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
