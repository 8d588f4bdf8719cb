import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { JOB_RUNNER_TAG, type JobTarget } from "./job-image.ts";
import { LATEST } from "./job-publish.ts";
import { buildTag } from "./runner-image.ts";
import { requireAddresses } from "./runner-readiness.ts";
import { makeMoves, readMoves, type TagMoves } from "./tag-moves.ts";
import { parseVersion, type Version } from "./version.ts";

/** A release that `latest` shall name. */
export interface NamedRelease {
  readonly version: Version;
  /** The tag that names it in the registries: a version's, or that of one build. */
  readonly imageTag: string;
}

/** Takes `1.2.3`, `v1.2.3` or the tag of one build, `v1.2.3-0123456789ab`, for a release. Throws a usage error on another text. */
export function parseNamedRelease(text: string): NamedRelease {
  const imageTag = text.startsWith("v") ? text : `v${text}`;
  const [, built] = /^v(.+)-[0-9a-f]{12}$/.exec(imageTag) ?? [];
  const version = parseVersion(built ?? imageTag.slice(1));
  if (version !== undefined) return { version, imageTag };
  throw new KilnError("usage", `--to ${text} is no release`, {
    mend: "Write a version such as 1.2.3, or the tag of one build; `kiln job image history` shows them.",
  });
}

/** What going back does to one image. */
export interface JobRollback {
  readonly target: JobTarget;
  readonly to: NamedRelease;
  readonly digest: string;
  readonly moves: TagMoves;
}

/**
 * What setting `latest` to a release that was published does to an image, in all its repositories. Throws a difference where one
 * of them does not have that release, or has another image in its place. Nothing moves yet.
 */
export async function readJobRollback(
  client: RegistryClient,
  target: JobTarget,
  to: NamedRelease,
): Promise<JobRollback> {
  requireAddresses(target);
  const { repositories } = target;
  const [first, ...others] = repositories;
  const digest = await digestAt(client, first, to);
  for (const other of others) {
    const found = await digestAt(client, other, to);
    if (found === digest) continue;
    throw different(`${other}:${to.imageTag} is ${found}, and that of ${first} is ${digest}`);
  }
  const image = { digest, version: to.version };
  const aim = { repositories, imageTag: LATEST, channel: "latest", image, allowOlder: true } as const;
  return { target, to, digest, moves: await readMoves(client, aim) };
}

/**
 * The same for several images. With `mayLack` those that have that release nowhere stay as they are, since not every release has
 * every image; throws a difference where none has it.
 */
export async function readJobRollbacks(
  client: RegistryClient,
  { targets, mayLack }: { readonly targets: readonly JobTarget[]; readonly mayLack: boolean },
  to: NamedRelease,
): Promise<{ readonly rollbacks: readonly JobRollback[]; readonly without: readonly JobTarget[] }> {
  const rollbacks: JobRollback[] = [];
  const without: JobTarget[] = [];
  for (const target of targets) {
    if (mayLack && (await isNowhere(client, target, to))) without.push(target);
    else rollbacks.push(await readJobRollback(client, target, to));
  }
  if (rollbacks.length > 0) return { rollbacks, without };
  throw different(`no image of jobs has ${to.imageTag}`);
}

async function isNowhere(client: RegistryClient, target: JobTarget, { imageTag: tag }: NamedRelease): Promise<boolean> {
  requireAddresses(target);
  for (const repository of target.repositories) {
    if ((await readDigest(client, { repository, tag })) !== undefined) return false;
  }
  return true;
}

/** Moves `latest` as `readJobRollback` said, and records it as a release does. */
export async function makeJobRollback(
  client: RegistryClient,
  { to: { version }, digest, moves }: JobRollback,
  { now, progress }: { readonly now: Date; readonly progress: Progress },
): Promise<void> {
  const release = `${JOB_RUNNER_TAG}${version.text}`;
  const named = { release, version, imageTag: LATEST, buildTag: buildTag(`v${version.text}`, digest) };
  await makeMoves(client, moves, { ...named, now, progress });
}

async function digestAt(client: RegistryClient, repository: string, { imageTag }: NamedRelease): Promise<string> {
  const digest = await readDigest(client, { repository, tag: imageTag });
  if (digest === undefined) throw different(`there is no ${repository}:${imageTag}`);
  return digest;
}

function different(fault: string): KilnError {
  return new KilnError("difference", fault, {
    mend: "Publish that release there again, or go to another one: `kiln job image history` shows them.",
  });
}
