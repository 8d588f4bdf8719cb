import { createHash } from "node:crypto";
import { pushManifest, readDigest, readImageManifest, type RegistryClient } from "../registry/client.ts";
import type { ImageReference } from "../registry/image-reference.ts";
import type { BuildContract } from "./contract.ts";
import { COMMON_LAYER } from "./layers.ts";
import type { CacheManifest } from "./manifest.ts";
import { readRecord } from "./record.ts";
import { tagName } from "./tag-name.ts";

/** All that builds of one provider's programs depend on in an image, and that an earlier image may have had as well. */
export interface VerifiedParts {
  /** Digest of the base image that the layers were put on. */
  readonly base: string;
  readonly platform: string;
  readonly emulated: boolean;
  readonly contract: BuildContract;
  readonly manifest: Pick<CacheManifest, "delivery" | "inputs">;
  /** Digests of the cache layers by their names. */
  readonly layers: ReadonlyMap<string, string>;
}

/** Part of every tag: raise it when verification finds more than it did. */
const FORMAT = "kiln-verified-1";

/**
 * Tags under which an image stands for the verification of a provider's programs, by provider: of the base, the layers that
 * its builds read, the contract, and the files that they were built from. What another provider's layer holds is no part of
 * it: entries are found by the hash of all that made them. A provider whose inputs are not known has none.
 */
export function verifiedTags(parts: VerifiedParts): ReadonlyMap<string, string> {
  const { base, platform, emulated, contract, manifest, layers } = parts;
  const tags = new Map<string, string>();
  for (const [provider, inputs] of Object.entries(manifest.inputs ?? {})) {
    const own = [layers.get(COMMON_LAYER), layers.get(provider)];
    const said = JSON.stringify([FORMAT, base, platform, emulated, contract, manifest.delivery, own, inputs]);
    const key = createHash("sha256").update(said).digest("hex").slice(0, 32);
    tags.set(provider, `verified-${tagName(provider)}-${key}`);
  }
  return tags;
}

/** A verified image that stands for some of another's programs. */
export interface VerifiedBefore {
  readonly image: string;
  /** Directories of those programs. */
  readonly programs: ReadonlySet<string>;
}

/** What earlier images of a repository stand for, by provider: those whose record holds and names programs. */
export async function readVerifiedBefore(
  client: RegistryClient,
  repository: string,
  tags: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, VerifiedBefore>> {
  const images = await Promise.all(
    [...tags].map(async ([provider, tag]) => [provider, await readDigest(client, { repository, tag })] as const),
  );
  const records = new Map<string, VerifiedBefore | undefined>();
  const found = new Map<string, VerifiedBefore>();
  for (const [provider, image] of images) {
    if (image === undefined) continue;
    if (!records.has(image)) {
      const { record } = await readRecord(client, { repository, digest: image });
      records.set(image, record && { image, programs: new Set(record.programs) });
    }
    const before = records.get(image);
    if (before !== undefined) found.set(provider, before);
  }
  return found;
}

/** Lets an image whose record was pushed stand for the programs of its providers. */
export async function tagVerified(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
  tags: ReadonlyMap<string, string>,
): Promise<void> {
  const manifest = await readImageManifest(client, image);
  const { repository } = image;
  await Promise.all([...tags.values()].map((tag) => pushManifest(client, { repository, tag }, manifest)));
}
