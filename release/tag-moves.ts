import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import type { PinnedImage } from "../registry/image-reference.ts";
import { readImage } from "../registry/compose.ts";
import { tagManifest } from "../registry/tag-manifest.ts";
import { PLATFORMS } from "../toolchain/platforms.ts";
import { runnerMove, type RunnerMove, type TaggedRunner } from "./runner-move.ts";
import { attachRunnerRecord, readRunnerRecords } from "./runner-record.ts";
import type { RunnerChannel } from "./runner-tag.ts";
import { parseVersion, type Version } from "./version.ts";

/** What happens to a tag, by repository. */
export type TagMoves = Readonly<Record<string, RunnerMove>>;

/** What a tag shall name, and how strictly: `latest` goes back for `allowOlder` alone. */
export interface TagAim {
  readonly repositories: readonly string[];
  readonly imageTag: string;
  readonly channel: RunnerChannel;
  readonly image: { readonly digest: string; readonly version: Version };
  readonly allowOlder: boolean;
}

/** What setting a tag would do in each repository. Throws where it may not be set in one of them, before any has moved. */
export async function readMoves(client: RegistryClient, aim: TagAim): Promise<TagMoves> {
  const { repositories, imageTag, channel, image, allowOlder } = aim;
  const moves: Record<string, RunnerMove> = {};
  for (const to of repositories) {
    const before = await readTagged(client, to, imageTag);
    moves[to] = runnerMove({ at: `${to}:${imageTag}`, channel, image, before, allowOlder });
  }
  return moves;
}

/**
 * Sets a tag as `readMoves` said. Each repository gets a record of it, attached to the image that the tag names since; where the
 * tag names it already, only if no record says so of this commit.
 */
export async function makeMoves(
  client: RegistryClient,
  moves: TagMoves,
  moving: {
    /** The Git tag. */
    readonly release: string;
    readonly version: Version;
    /** The commit that the image was built of, where it names one. */
    readonly revision?: string;
    readonly imageTag: string;
    readonly buildTag: string;
    readonly now: Date;
    readonly progress: Progress;
  },
): Promise<void> {
  const { release, version, revision, imageTag, buildTag, now, progress } = moving;
  const of = revision === undefined ? {} : { revision };
  for (const [to, { kind, digest, replaces }] of Object.entries(moves)) {
    const isThere = kind === "unchanged";
    if (isThere && (await isRecorded(client, { repository: to, digest }, { imageTag, revision }))) continue;
    progress.step(`${isThere ? "recording" : "tagging"} ${to}:${imageTag}`);
    const record = { release, version: version.text, imageTag, buildTag, digest, move: kind };
    // Before the tag moves: who sees the new image finds out what it replaced.
    await attachRunnerRecord(
      client,
      { repository: to, digest },
      { ...record, ...of, ...(replaces === undefined ? {} : { replaces }), at: now.toISOString() },
    );
    if (!isThere) await tagManifest(client, { repository: to, digest }, imageTag);
  }
}

/** Whether a record of an image says that a tag names it, and of which commit it is. */
async function isRecorded(
  client: RegistryClient,
  image: PinnedImage,
  { imageTag, revision }: { readonly imageTag: string; readonly revision: string | undefined },
): Promise<boolean> {
  const records = await readRunnerRecords(client, image);
  return records.some((record) => record.imageTag === imageTag && (revision ?? record.revision) === record.revision);
}

/** What a tag names, and the version that the image says; of an index, that of any of its images. */
async function readTagged(client: RegistryClient, repository: string, tag: string): Promise<TaggedRunner | undefined> {
  const digest = await readDigest(client, { repository, tag });
  if (digest === undefined) return undefined;
  for (const platform of PLATFORMS) {
    const read = await readImage(client, { repository, digest }, platform).catch((error: unknown) => {
      if (error instanceof KilnError && error.kind === "unreachable") throw error;
      return undefined;
    });
    const text = read?.config.config?.Labels?.["org.opencontainers.image.version"];
    if (text !== undefined) return { digest, version: parseVersion(text) };
  }
  return { digest, version: undefined };
}
