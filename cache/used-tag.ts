import { messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { shortDigest, type PinnedImage } from "../registry/image-reference.ts";
import { tagManifest } from "../registry/tag-manifest.ts";
import { throwIfInterrupted } from "../toolchain/process.ts";

const DAY_MS = 86_400_000;

/** The tag of an image that was found again on a day (UTC): `used-20260131-0123456789ab`. */
export function usedTag(digest: string, now: number): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "");
  return `used-${day}-${shortDigest(digest)}`;
}

/** When the day of such a tag ends, in milliseconds since 1970; nothing for any other tag. */
export function usedUntil(tag: string): number | undefined {
  const [, year, month, day] = /^used-(\d{4})(\d{2})(\d{2})-[0-9a-f]{12}$/.exec(tag) ?? [];
  const start = Date.parse(`${year ?? ""}-${month ?? ""}-${day ?? ""}T00:00:00Z`);
  return Number.isNaN(start) ? undefined : start + DAY_MS;
}

/**
 * Says that an image which is not new is about to be named: until then nothing but this tag keeps a clean-up from it. Who may
 * read only can use it all the same, and is told.
 */
export async function markUsed(
  client: RegistryClient,
  image: PinnedImage,
  { now, progress }: { readonly now: number; readonly progress: Progress },
): Promise<void> {
  const tag = usedTag(image.digest, now);
  try {
    if ((await readDigest(client, { repository: image.repository, tag })) === image.digest) return;
    await tagManifest(client, image, tag);
  } catch (error) {
    throwIfInterrupted();
    progress.note(`${image.repository}:${tag} could not be set, so a clean-up may take the image: ${messageOf(error)}`);
  }
}
