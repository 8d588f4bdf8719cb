import { KilnError } from "../errors.ts";
import { mergeInputs, sorted } from "./explain/build-inputs.ts";
import { contractDifferences } from "./contract.ts";
import { MANIFEST_VERSION, type CacheManifest, type ProviderBinary, type ProviderClosure } from "./manifest.ts";

/** A shard's cache directory and what it says of itself. */
export interface MergeSource {
  readonly directory: string;
  readonly manifest: CacheManifest;
}

/**
 * The manifest of a merge. Throws a usage error, naming both sources, when two shards differ in what enters an action ID or
 * in how programs are delivered. Of what two shards name alike, such as one program linked twice, the later one counts.
 */
export function mergeManifests(sources: readonly MergeSource[]): Omit<CacheManifest, "counts"> {
  const [first] = sources;
  if (!first) throw new KilnError("usage", "nothing to merge", { mend: "Name at least one shard directory." });
  for (const other of sources.slice(1)) requireAlike(first, other);
  const manifests = sources.map(({ manifest }) => manifest);
  const closures = mergeClosures(manifests);
  const had = new Set(Object.values(closures).flatMap(({ goMod }) => goMod));
  // What one shard could not have, another may have had.
  const missing = manifests
    .flatMap((manifest) => Object.entries(manifest.missing ?? {}))
    .filter(([name]) => !had.has(name));
  const inputs = mergeInputs(manifests.map((manifest) => manifest.inputs));
  const binaries = mergeBinaries(sources);
  return {
    version: MANIFEST_VERSION,
    contract: first.manifest.contract,
    delivery: first.manifest.delivery,
    modules: union(manifests.map((manifest) => manifest.modules)),
    failed: merged(manifests.map((manifest) => manifest.failed)),
    closures,
    programs: merged(manifests.map((manifest) => manifest.programs)),
    objects: mergeObjects(manifests),
    spare: mergeSpare(manifests),
    ...(binaries === undefined ? {} : { binaries }),
    ...(missing.length > 0 ? { missing: Object.fromEntries(missing.sort()) } : {}),
    ...(inputs === undefined ? {} : { inputs }),
    goModMetadata: union(manifests.map((manifest) => manifest.goModMetadata)),
  };
}

function requireAlike(first: MergeSource, other: MergeSource): void {
  const differences = [...contractDifferences(first.manifest.contract, other.manifest.contract)];
  const [one, two] = [first.manifest.delivery, other.manifest.delivery];
  if (one !== two) differences.push(`programs: ${one} against ${two}`);
  if (differences.length === 0) return;
  throw new KilnError(
    "usage",
    `${first.directory} and ${other.directory} were warmed differently:\n  ${differences.join("\n  ")}`,
    { mend: "Warm both again from one plan; a build would find only one of them." },
  );
}

function mergeClosures(manifests: readonly CacheManifest[]): Readonly<Record<string, ProviderClosure>> {
  const parts = Map.groupBy(
    manifests.flatMap(({ closures }) => Object.entries(closures)),
    ([provider]) => provider,
  );
  const unite = (part: keyof ProviderClosure, closures: readonly (readonly [string, ProviderClosure])[]) =>
    union(closures.map(([, closure]) => closure[part]));
  return sorted(
    Object.fromEntries(
      [...parts].map(([provider, closures]) => [
        provider,
        {
          goBuild: unite("goBuild", closures),
          goMod: unite("goMod", closures),
          sources: unite("sources", closures),
        },
      ]),
    ),
  );
}

/** Two packages may compile to one archive; the same of the two names stands for it, whichever shard comes first. */
function mergeObjects(manifests: readonly CacheManifest[]): Readonly<Record<string, string>> {
  const objects: Record<string, string> = {};
  for (const manifest of manifests) {
    for (const [name, key] of Object.entries(manifest.objects)) {
      const known = objects[name];
      if (known === undefined || key < known) objects[name] = key;
    }
  }
  return sorted(objects);
}

/** Modules that no shard compiles: what one needs only for its version data, another may be compiled from. */
function mergeSpare(manifests: readonly CacheManifest[]): readonly string[] {
  const compiled = new Set<string>();
  for (const { closures, spare } of manifests) {
    const own = new Set(spare);
    for (const { goMod } of Object.values(closures)) {
      for (const module of goMod) if (!own.has(module)) compiled.add(module);
    }
  }
  return union(manifests.map(({ spare }) => spare)).filter((module) => !compiled.has(module));
}

/** A provider's binaries hold all its programs, so all of them must have been in one shard. */
function mergeBinaries(sources: readonly MergeSource[]): CacheManifest["binaries"] {
  const from = new Map<string, string>();
  const binaries: Record<string, readonly ProviderBinary[]> = {};
  const programsIn = (list: readonly ProviderBinary[]) => JSON.stringify(list.map(({ names }) => names));
  for (const { directory, manifest } of sources) {
    for (const [provider, list] of Object.entries(manifest.binaries ?? {})) {
      const known = binaries[provider];
      if (known !== undefined && programsIn(known) !== programsIn(list)) {
        throw new KilnError(
          "usage",
          `${from.get(provider) ?? ""} and ${directory} have binaries of other programs of ${provider}`,
          { mend: "Plan with the same --programs, so that one shard has all programs of a provider, and warm again." },
        );
      }
      from.set(provider, directory);
      binaries[provider] = list;
    }
  }
  return from.size === 0 ? undefined : sorted(binaries);
}

function merged<T>(records: readonly Readonly<Record<string, T>>[]): Readonly<Record<string, T>> {
  return sorted(Object.assign({}, ...records) as Record<string, T>);
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  const names = new Set<string>();
  for (const list of lists) for (const name of list) names.add(name);
  return [...names].sort();
}
