import type { CacheLayer } from "./layers.ts";
import type { CacheManifest, ProviderClosure } from "./manifest.ts";

/**
 * A shard's cache as the one layer by which another machine gets its work, without the entries that are `elsewhere`: those
 * of the base, which that machine has from the base's own layer. Modules stay whole, so that no half of one is taken for it.
 */
export function shardLayer(id: string, manifest: CacheManifest, elsewhere: ReadonlySet<string>): CacheLayer {
  const closures = Object.values(manifest.closures);
  const all = (part: keyof ProviderClosure) => [...new Set(closures.flatMap((closure) => closure[part]))].sort();
  const goBuild = all("goBuild").filter((name) => !elsewhere.has(name));
  const goMod = all("goMod");
  const withSources = new Set(goMod);
  const programs = new Set(Object.values(manifest.programs).map(({ output }) => output));
  return {
    name: id,
    goBuild,
    whole: [],
    beside: [],
    programs: goBuild.filter((name) => programs.has(name)),
    reads: [],
    goMod,
    spare: manifest.spare,
    sources: all("sources"),
    ghosts: [],
    goModMetadata: manifest.goModMetadata.filter((module) => !withSources.has(module)),
    binaries: [],
  };
}
