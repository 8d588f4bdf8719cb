import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { attachDocument } from "../registry/attach-document.ts";
import { readBlobText, readDigest, readImageManifest, readReferrers, type RegistryClient } from "../registry/client.ts";
import { formatReference, type ImageReference, type PinnedImage } from "../registry/image-reference.ts";
import { pushLayer } from "../registry/push-layer.ts";
import { CONTRACT_LABEL } from "./contract.ts";
import { isTexts } from "./document.ts";
import { inputsKey } from "./inputs.ts";
import type { CacheManifest } from "./manifest.ts";
import type { Packer } from "./packed-layer.ts";
import { BASE_SHARD, type Plan, type Shard } from "./plan.ts";
import type { Reuse } from "./reuse.ts";
import { PACKED_LABELS } from "./served-packs.ts";
import { shardLayer } from "./shard-layer.ts";
import { tagName } from "./tag-name.ts";
import { writeLayer } from "./write-layer.ts";

/** Raise it when a shard's image holds something else of the same inputs. */
const FORMAT = "kiln-shard-2";

/** What a base's image says it holds, so that others do not ship it again. */
const ENTRIES_TYPE = "application/vnd.kiln.entries.v1+json";

/** No document is larger: 70 bytes an entry. */
const ENTRIES_BYTES = 64_000_000;

/**
 * The tags under which a repository has the shards of a plan, by their ids: of the plan's division and of every source file
 * of its programs, and of the program that packs them (`gocacheKey`), so that a shard that was pushed once is not warmed again, and
 * none of another commit or in another format is taken for it.
 */
export async function shardTags(plan: Plan, source: string, packer: string): Promise<ReadonlyMap<string, string>> {
  const division = plan.shards.map(({ id, programs, packages }) => [id, programs, Object.keys(packages).sort()]);
  const key = await inputsKey(source, plan.programs, plan.contract, [FORMAT, packer, JSON.stringify(division)]);
  // Two ids may be one name as far as a tag can say it: the id itself is in the digest.
  const own = (id: string) =>
    createHash("sha256")
      .update(JSON.stringify([key, id]))
      .digest("hex")
      .slice(0, 32);
  return new Map(plan.shards.map(({ id }) => [id, `shard-${tagName(id)}-${own(id)}`]));
}

/**
 * The images of a plan's shards that may be taken, the base first. Throws where the repository lacks one, and names its shard.
 */
export async function readShardImages(
  client: RegistryClient,
  repository: string,
  tags: ReadonlyMap<string, string>,
  reuse?: Pick<Reuse, "takes">,
): Promise<readonly ImageReference[]> {
  const ids = [...tags.keys()].sort((a, b) => Number(b === BASE_SHARD) - Number(a === BASE_SHARD));
  const images = await Promise.all(ids.map((id) => requireShardImage(client, repository, tags, id)));
  const taken = await Promise.all(
    images.map(async (image, index) => (await reuse?.takes(image, tags.get(ids[index] ?? "") ?? "")) !== false),
  );
  return images.filter((_, index) => taken[index]);
}

/** The image of a shard, if the repository has it and it may be taken: then it need not be compiled. */
export async function readTakenShard(
  client: RegistryClient,
  repository: string,
  tag: string,
  reuse?: Pick<Reuse, "takes">,
): Promise<PinnedImage | undefined> {
  const digest = await readDigest(client, { repository, tag });
  if (digest === undefined) return undefined;
  const image = { repository, digest };
  return (await reuse?.takes(image, tag)) === false ? undefined : image;
}

/** The image of one shard, by digest. Throws where the repository does not have it. */
export async function requireShardImage(
  client: RegistryClient,
  repository: string,
  tags: ReadonlyMap<string, string>,
  id: string,
): Promise<PinnedImage> {
  const reference = { repository, tag: tags.get(id) ?? "" };
  const digest = await readDigest(client, reference);
  if (digest !== undefined) return { repository, digest };
  throw new KilnError(
    "failed",
    `shard ${id} of this plan is not in the registry: there is no ${formatReference(reference)}`,
    {
      mend: `Push it with \`npx kiln cache shard --shard ${id}\` from the same plan and commit; where that job failed, run it again.`,
    },
  );
}

/** The names of build entries that a base's image holds. Throws where it does not say. */
export async function readBaseEntries(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
): Promise<ReadonlySet<string>> {
  for (const digest of await readReferrers(client, image, ENTRIES_TYPE)) {
    const [blob] = (await readImageManifest(client, { repository: image.repository, digest })).layers;
    if (blob === undefined || blob.size > ENTRIES_BYTES) continue;
    const entries = parsedEntries(await readBlobText(client, image.repository, blob.digest));
    if (entries !== undefined) return new Set(entries);
  }
  throw new KilnError("failed", `${formatReference(image)} does not say which entries it holds`, {
    mend: "Push the base again: `npx kiln cache shard --shard base`.",
  });
}

function parsedEntries(text: string): readonly string[] | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return isTexts(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

export interface PushShardOptions {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly tag: string;
  readonly shard: Shard;
  /** The cache directory of the shard, and what its manifest says. */
  readonly cache: string;
  readonly manifest: CacheManifest;
  /** Entries that the base's image holds; none for the base itself. */
  readonly elsewhere: ReadonlySet<string>;
  readonly reuse?: Pick<Reuse, "vouch"> | undefined;
  readonly packer: Packer;
  /** Where its layer stands until it is pushed. */
  readonly scratch: string;
}

/** A shard's image in the registry; bytes as they travel. */
export interface PushedShard {
  readonly image: string;
  readonly size: number;
  readonly entries: number;
}

/**
 * Pushes a shard's cache as an image of one packed layer, which `restoreStore` reads. The tag is set with the last push, and what it
 * stands with is attached first, of a base's image what it holds as well: whoever finds the tag finds all.
 */
export async function pushShard(options: PushShardOptions): Promise<PushedShard> {
  const { client, repository, tag, shard, cache, manifest, reuse, packer, scratch } = options;
  const layer = shardLayer(shard.id, manifest, options.elsewhere);
  const written = await writeLayer(cache, layer, packer, path.join(scratch, `${tag}.tar.gz`));
  try {
    const place = {
      repository,
      architecture: manifest.contract.goarch,
      createdBy: `kiln cache layers: ${layer.name}`,
      labels: { ...PACKED_LABELS, [CONTRACT_LABEL]: JSON.stringify(manifest.contract) },
    };
    if (shard.id === BASE_SHARD || reuse !== undefined) {
      const image = { repository, digest: await pushLayer(client, written, place) };
      if (shard.id === BASE_SHARD) await attachDocument(client, image, ENTRIES_TYPE, JSON.stringify(layer.goBuild));
      await reuse?.vouch(image, tag);
    }
    const digest = await pushLayer(client, written, { ...place, tag });
    return { image: `${repository}@${digest}`, size: written.size, entries: layer.goBuild.length };
  } finally {
    await rm(written.file, { force: true });
  }
}
