import { concurrently } from "../cache/concurrently.ts";
import { readDigest, readReferrers, readTags, type RegistryClient } from "../registry/client.ts";
import { readStoredManifest, type StoredManifest } from "../registry/stored-manifest.ts";

/** Questions that a registry is asked at once: each is a process here. */
const WIDTH = 8;

/** What a repository has: each tag with the digest that it points to. A tag that goes meanwhile is left out. */
async function readTagged(client: RegistryClient, repository: string): Promise<ReadonlyMap<string, string>> {
  const tagged = new Map<string, string>();
  const tags = await readTags(client, repository, ".*");
  await concurrently(
    tags,
    async (tag) => {
      const digest = await readDigest(client, { repository, tag });
      if (digest !== undefined) tagged.set(tag, digest);
    },
    WIDTH,
  );
  // In the order of their names, however the answers came.
  return new Map(tags.flatMap((tag) => (tagged.has(tag) ? [[tag, tagged.get(tag) ?? ""] as const] : [])));
}

/**
 * All manifests of a repository that can be found: by tags, by `known` digests, and from those what they list and what refers
 * to them. A registry tells of nothing else: untagged manifests that nobody names are its own to collect.
 */
export async function readInventory(
  client: RegistryClient,
  repository: string,
  known: readonly string[] = [],
): Promise<readonly StoredManifest[]> {
  const tagged = await readTagged(client, repository);
  const found = new Map<string, StoredManifest | undefined>();
  let wave = [...new Set([...tagged.values(), ...known])];
  while (wave.length > 0) {
    const next = new Set<string>();
    await concurrently(
      wave,
      async (digest) => {
        const tags = [...tagged].filter(([, target]) => target === digest).map(([tag]) => tag);
        const manifest = await readStoredManifest(client, { repository, digest }, tags);
        found.set(digest, manifest);
        if (manifest === undefined) return;
        for (const one of [...manifest.children, ...(await readReferrers(client, manifest))]) next.add(one);
      },
      WIDTH,
    );
    wave = [...next].filter((digest) => !found.has(digest));
  }
  return [...found.values()].filter((manifest) => manifest !== undefined);
}
