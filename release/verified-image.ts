import { readRecord, type FoundRecord } from "../cache/record.ts";
import { KilnError } from "../errors.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { readImage, type Image } from "../registry/compose.ts";
import type { PinnedImage } from "../registry/image-reference.ts";
import { stackFile, verificationOf, type Settings } from "../settings.ts";

/** A record that stands for an image. */
export type ValidRecord = Extract<FoundRecord, { readonly digest: string }>;

/**
 * The image that a stack's file names, or with `named` another place. Throws where the registry does not have it: nothing is
 * known of it then.
 */
export async function readVerifiableImage(
  client: RegistryClient,
  stack: Settings,
  image: PinnedImage,
  named = stackFile(stack.stack),
): Promise<Image> {
  if ((await readDigest(client, image)) !== undefined) return readImage(client, image);
  throw new KilnError("difference", `${image.repository} has no ${image.digest}, which ${named} names`, {
    mend:
      `Bake it again with \`npx kiln cache bake --stack ${stack.stack}\`, or go back to a digest that is there: ` +
      `\`npx kiln release history --stack ${stack.stack}\` lists them.`,
  });
}

/** Throws unless an image is for the platform that a stack runs on. */
export function requirePlatform({ config }: Image, target: Settings): void {
  const platform = `${config.os}/${config.architecture}`;
  if (platform === target.image.platform) return;
  throw new KilnError("usage", `the image is for ${platform}, stack ${target.stack} for ${target.image.platform}`, {
    mend: `Bake one for ${target.image.platform}, or correct kiln:image.platform in ${stackFile(target.stack)}.`,
  });
}

/** The record that an image passed. Throws a difference that names what is wrong and the commands that verify. */
export async function requireRecord(client: RegistryClient, stack: Settings, image: PinnedImage): Promise<ValidRecord> {
  const found = await readRecord(client, image);
  if (found.record !== undefined) return found;
  const reference = `${image.repository}@${image.digest}`;
  throw new KilnError("difference", `${reference} was never verified: ${found.faults.join("; ")}`, {
    mend:
      `\`npx kiln cache bake --stack ${stack.stack}\` verifies what it bakes and attaches the record; ` +
      `\`${verificationOf(reference, stack.source).command}\` shows whether this image is warm.`,
  });
}
