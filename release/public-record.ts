import type { PublicRepository } from "../registry/public-repository.ts";
import { RUNNER_RECORD } from "./runner-record.ts";

/** What the record of a release says of a moving tag, as anybody can read it. */
export interface PublicRecord {
  /** The Pulumi version inside. */
  readonly version: string;
  /** The commit that the image was built of; nothing where the record names none. */
  readonly revision: string | undefined;
  /** Since when the tag names this image, in milliseconds since 1970. */
  readonly since: number;
}

/**
 * The newest record of an image tag on the image that it names now: what `publishRunner` attached before it moved the tag.
 * `absent` where there is no such tag, `unrecorded` where its image has no record of it.
 */
export async function readPublicRecord(
  repository: PublicRepository,
  imageTag: string,
): Promise<PublicRecord | "absent" | "unrecorded"> {
  const digest = await repository.readDigest(imageTag);
  if (digest === undefined) return "absent";
  const records: PublicRecord[] = [];
  for (const referrer of await repository.readReferrers(digest, RUNNER_RECORD)) {
    const layers = fieldsOf(await repository.readManifest(referrer)).layers;
    const [layer] = Array.isArray(layers) ? layers.map(fieldsOf) : [];
    if (typeof layer?.digest !== "string") continue;
    const record = publicRecord(await repository.readDocument(layer.digest), imageTag, digest);
    if (record !== undefined) records.push(record);
  }
  const [newest] = records.sort((a, b) => b.since - a.since);
  return newest ?? "unrecorded";
}

/** What a record says of a tag; nothing where it is of another tag or image, or no record at all. Pure. */
export function publicRecord(document: unknown, imageTag: string, digest: string): PublicRecord | undefined {
  const { imageTag: tag, digest: image, version, revision, at } = fieldsOf(document);
  const since = typeof at === "string" ? Date.parse(at) : NaN;
  if (tag !== imageTag || image !== digest || typeof version !== "string" || Number.isNaN(since)) return undefined;
  return { version, revision: typeof revision === "string" ? revision : undefined, since };
}

/** The fields of a document; none of what is no map. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return (typeof value === "object" ? (value ?? {}) : {}) as Readonly<Record<string, unknown>>;
}
