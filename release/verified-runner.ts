import { readRecord } from "../cache/record.ts";
import { KilnError } from "../errors.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { readImage, type Image } from "../registry/compose.ts";
import { formatReference, parsePinnedImage, type PinnedImage } from "../registry/image-reference.ts";

/** By which a runner image names the warm image that it was built from (images/iac-runner/Dockerfile.merged). */
export const BASE_LABEL = "org.opencontainers.image.base.name";

/**
 * Throws a difference unless a runner image was verified: it has a record of its own, or the warm image that its label names has
 * one and the same file system. The label alone is worth nothing: anybody can write it. Returns the warm image that vouched for it.
 */
export async function requireVerifiedRunner(
  client: RegistryClient,
  image: PinnedImage,
  read: Image,
): Promise<PinnedImage | undefined> {
  if ((await readRecord(client, image)).record !== undefined) return undefined;
  const label = read.config.config?.Labels?.[BASE_LABEL];
  const warm = label === undefined ? undefined : parsePinnedImage(label);
  if (warm === undefined) {
    throw unverified(
      image,
      `it has no record, and its label ${BASE_LABEL} names no warm image by digest, as of a standalone one`,
    );
  }
  const name = formatReference(warm);
  if ((await readDigest(client, warm)) === undefined) throw unverified(image, `its warm image ${name} is gone`);
  const found = await readRecord(client, warm);
  if (found.record === undefined) throw unverified(image, `its warm image ${name} was not: ${found.faults.join("; ")}`);
  const below = (await readImage(client, warm)).config.rootfs.diff_ids;
  if (below.join() === read.config.rootfs.diff_ids.join()) return warm;
  throw unverified(image, `its layers are not those of the warm image ${name} that it names`);
}

function unverified(image: PinnedImage, reason: string): KilnError {
  return new KilnError("difference", `${formatReference(image)} was never verified: ${reason}`, {
    mend:
      "Release what `npx kiln cache bake --stack S` baked and verified, and `npx kiln up --stack S` built from it: " +
      "a stack whose kiln:image.dockerfile is merged.",
  });
}
