import { readRecord, type VerificationRecord } from "../cache/record.ts";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { readImage, type Image } from "../registry/compose.ts";
import { copyImage, isComplete, readMissing, requireCopy, type ImageCopy, type Missing } from "../registry/copy.ts";
import { parsePinnedImage, type PinnedImage } from "../registry/image-reference.ts";
import { warmRepository } from "../registry/repository-names.ts";
import { stackFile, type Settings } from "../settings.ts";
import { fileSystemOf, imageChange, type FileSystem, type ImageChange } from "./promotion.ts";
import { readStackSettings, writeWarmImage } from "./stack-file.ts";
import type { Notary } from "./supply/cosign.ts";
import { policyText, requireSeal } from "./supply/seal-faults.ts";
import { readVerifiableImage, requirePlatform, requireRecord } from "./verified-image.ts";

export interface PromoteOptions {
  readonly client: RegistryClient;
  /** Verifies signatures, where the target's file asks for them. */
  readonly notary: Notary;
  /** The checkout whose stack files are read and written. */
  readonly project: string;
  readonly from: string;
  readonly to: string;
  /** Read, check and say what would happen, and change nothing. */
  readonly dryRun: boolean;
  readonly progress: Progress;
}

/** What a promotion did, or with `dryRun` would do. */
export interface Promotion {
  readonly from: string;
  readonly to: string;
  /** `repository@sha256:…` that the target's file says now, and what it said before. */
  readonly warmImage: string;
  readonly before: string | undefined;
  readonly dryRun: boolean;
  /** Whether the target's file and registry had everything already. */
  readonly unchanged: boolean;
  readonly verification: { readonly record: string } & Pick<
    VerificationRecord,
    "programs" | "compileActions" | "emulated"
  >;
  /** Who signed, as the target demands it; nothing where it demands no signature. */
  readonly signedBy: string | undefined;
  readonly copied: { readonly blobs: number; readonly bytes: number; readonly attached: readonly string[] };
  readonly fileSystem: FileSystem;
  readonly change: ImageChange;
}

/**
 * Takes a stack's verified warm image to another stack: checks the record, copies the image with all that refers to it,
 * checks the copy, and only then writes the target's file. Throws where the image was never verified, or where it has not the
 * seal that the target demands.
 */
export async function promote(options: PromoteOptions): Promise<Promotion> {
  const { client, project, dryRun, progress } = options;
  const { source, target, from } = await readStacks(options);
  progress.step(`checking ${from.repository}@${from.digest}`);
  const image = await readVerifiableImage(client, source, from);
  requirePlatform(image, target);
  const { record, digest } = await requireRecord(client, source, from);
  await requireTargetSeal(options, target, from);

  const to = warmRepository(target.registry);
  const copy: ImageCopy = { from, image, to, tag: keepingTag(from.digest) };
  progress.step(`looking up what ${to} lacks`);
  const missing = await readMissing(client, copy);
  const change = imageChange(await readBefore(client, target, progress), image);
  const warmImage = `${to}@${from.digest}`;
  if (!dryRun) {
    if (!isComplete(missing)) progress.step(`copying to ${to}`);
    await copyImage(client, copy, missing, progress);
    await requireCopy(client, copy);
    await requireRecordThere(client, { repository: to, digest: from.digest });
    await requireTargetSeal(options, target, { repository: to, digest: from.digest });
    await writeWarmImage(project, options.to, warmImage);
  }
  return {
    ...{ from: options.from, to: options.to, warmImage, before: target.warmImage, dryRun },
    unchanged: isComplete(missing) && target.warmImage === warmImage,
    verification: {
      record: digest,
      programs: record.programs,
      compileActions: record.compileActions,
      ...(record.emulated === true ? { emulated: record.emulated } : {}),
    },
    signedBy: target.signatures && policyText(target.signatures),
    copied: copiedOf(missing),
    fileSystem: fileSystemOf(image),
    change,
  };
}

/** Throws unless an image has the seal that the target demands, with the digest that is promoted. */
async function requireTargetSeal(
  { client, notary, progress }: PromoteOptions,
  { stack, signatures }: Settings,
  image: PinnedImage,
): Promise<void> {
  if (signatures === undefined) return;
  progress.step(`verifying the seal of ${image.repository}@${image.digest}`);
  await requireSeal({ client, notary, policy: signatures }, image, stack);
}

/** How much of a digest a tag repeats: enough to be one of its own. */
const TAG_DIGITS = 32;

/** The tag under which a target keeps a promoted image: no clean-up of untagged images takes what a rollback needs. */
function keepingTag(digest: string): string {
  return `promoted-${digest.replace("sha256:", "").slice(0, TAG_DIGITS)}`;
}

function copiedOf({ blobs, bytes, attached }: Missing): Promotion["copied"] {
  return { blobs: blobs.length, bytes, attached };
}

/** Reads both files. Throws a usage error where the promotion makes no sense, before any registry is asked. */
async function readStacks({
  project,
  from: name,
  to,
}: PromoteOptions): Promise<{ source: Settings; target: Settings; from: PinnedImage }> {
  if (name === to) {
    throw new KilnError("usage", `--from and --to are both ${to}`, {
      mend: "Name two stacks, such as dev and staging.",
    });
  }
  const [source, target] = [await readStackSettings(project, name), await readStackSettings(project, to)];
  const from = parsePinnedImage(source.warmImage ?? "");
  if (from === undefined) {
    throw new KilnError("usage", `${stackFile(name)} has no kiln:warmImage to promote`, {
      mend: `Bake one with \`npx kiln cache bake --stack ${name}\`, or promote one to ${name} first.`,
    });
  }
  if (target.image.dockerfile === "standalone") {
    throw new KilnError("usage", `stack ${to} builds a standalone image, which no warm image is part of`, {
      mend: `Set kiln:image.dockerfile to merged in ${stackFile(to)}.`,
    });
  }
  if (source.image.platform !== target.image.platform) {
    throw new KilnError(
      "usage",
      `stack ${name} is for ${source.image.platform}, stack ${to} for ${target.image.platform}`,
      {
        mend: `Set kiln:image.platform alike in both files, or bake for ${to}: \`npx kiln cache bake --stack ${to}\`.`,
      },
    );
  }
  return { source, target, from };
}

async function requireRecordThere(client: RegistryClient, copy: PinnedImage): Promise<void> {
  const found = await readRecord(client, copy);
  if (found.record !== undefined) return;
  throw new KilnError(
    "difference",
    `${copy.repository}@${copy.digest} has no valid record after the copy: ${found.faults.join("; ")}`,
    {
      mend: "Run the command again: it copies what is missing. The stack's file has not changed.",
    },
  );
}

/** The image that the target has now. One that its registry lost is no obstacle to a new one. */
async function readBefore(client: RegistryClient, target: Settings, progress: Progress): Promise<Image | undefined> {
  const image = parsePinnedImage(target.warmImage ?? "");
  if (image === undefined) return undefined;
  if ((await readDigest(client, image)) !== undefined) return readImage(client, image);
  progress.note(`${stackFile(target.stack)} names ${target.warmImage ?? ""}, which its registry does not have`);
  return undefined;
}
