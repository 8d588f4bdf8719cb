import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BuildContract } from "../../cache/contract.ts";
import { MANIFEST_VERSION, writeJson, type CacheManifest } from "../../cache/manifest.ts";

export interface SyntheticShards {
  /** Files of all GOCACHEs together, action and output entries. */
  readonly entries: number;
  readonly shards: number;
  /** How many of an entry's shards have it: entry by entry from 1 to this, in turn. */
  readonly copies: number;
}

/**
 * Writes cache directories of shards below `folder`, as machines that do not know each other would: no file is a link of
 * another. Their archives are small; equal names hold equal bytes. Returns the directories.
 */
export async function writeShards(
  folder: string,
  contract: BuildContract,
  { entries, shards, copies }: SyntheticShards,
): Promise<readonly string[]> {
  const names = Array.from({ length: shards }, () => [] as string[]);
  const objects = names.map((): Record<string, string> => ({}));
  const directories = names.map((_, shard) => path.join(folder, `shard-${shard + 1}`));
  for (const directory of directories) {
    for (let prefix = 0; prefix < 256; prefix += 1) {
      mkdirSync(path.join(directory, "go-build", prefix.toString(16).padStart(2, "0")), { recursive: true });
    }
  }
  for (let [written, pkg] = [0, 0]; written < entries; pkg += 1) {
    const content = `archive of package ${pkg}\n`.repeat(1 + (pkg % 97));
    const [action, output] = [sha256(`action ${pkg}`), sha256(content)];
    const entry = `v1 ${action} ${output} ${String(content.length).padStart(20)} ${"1700000000000000000".padStart(20)}\n`;
    for (let copy = 0; copy < 1 + (pkg % copies); copy += 1, written += 2) {
      const shard = (pkg + copy) % shards;
      const [a, d] = [`${action.slice(0, 2)}/${action}-a`, `${output.slice(0, 2)}/${output}-d`];
      writeFileSync(path.join(directories[shard] ?? "", "go-build", a), entry);
      writeFileSync(path.join(directories[shard] ?? "", "go-build", d), content);
      names[shard]?.push(a, d);
      const known = objects[shard];
      if (known !== undefined) known[d] = `example.com/package/${pkg}`;
    }
  }
  for (const [shard, directory] of directories.entries()) {
    const goBuild = [...(names[shard] ?? [])].sort();
    const manifest: CacheManifest = {
      ...{ version: MANIFEST_VERSION, contract, delivery: "cache", modules: [`modules/p${shard}/m`], failed: {} },
      closures: { [`p${shard}`]: { goBuild, goMod: [], sources: [] } },
      ...{ programs: {}, objects: objects[shard] ?? {}, spare: [], goModMetadata: [] },
      counts: { goBuildEntries: goBuild.length, goModules: 0, bytes: 0 },
    };
    await writeJson(path.join(directory, "manifest.json"), manifest);
  }
  return directories;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
