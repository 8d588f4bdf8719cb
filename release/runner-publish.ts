import { KilnError } from "../errors.ts";
import { copyWithReferrers, pushIndex, readDigest, type RegistryClient } from "../registry/client.ts";
import { readImage } from "../registry/compose.ts";
import { formatReference, registryHost, type PinnedImage } from "../registry/image-reference.ts";
import { isLoopback } from "../registry/repository-names.ts";
import { tagManifest } from "../registry/tag-manifest.ts";
import { PLATFORMS } from "../toolchain/platforms.ts";
import { byPlatform } from "./platform-index.ts";
import { runnerBuildTag, type RunnerRelease, type RunnerTarget } from "./runner-image.ts";
import { requireBuildTag, runnerMove, type RunnerMove, type TaggedRunner } from "./runner-move.ts";
import { attachRunnerRecord } from "./runner-record.ts";
import { isPlaceholder } from "./runner-registries.ts";
import { attachPackageList, type ListOptions } from "./supply/package-list.ts";
import { parseVersion } from "./version.ts";

/** What was published of one image of a release. */
export interface PublishedRunner {
  readonly digest: string;
  readonly platforms: readonly string[];
  readonly imageTag: string;
  readonly buildTag: string;
  /** The list of packages (SBOM) of each platform's image: the referrer's digest, by the image's. */
  readonly packageLists: Readonly<Record<string, string>>;
  /** What happened to the moving tag, by repository. */
  readonly moves: Readonly<Record<string, RunnerMove>>;
}

interface Publication extends ListOptions {
  readonly release: RunnerRelease;
  readonly target: RunnerTarget;
  /** In the first repository of the target, one a platform. */
  readonly images: readonly PinnedImage[];
  readonly allowOlder: boolean;
  readonly now: Date;
}

/**
 * Publishes one image of a release in all its repositories: the build tag everywhere before the moving tag anywhere, and a
 * record of what each moving tag named before. Whether `latest` may move is asked of all repositories first. What a tag names
 * has its list of packages (SBOM) beside it, in the mirrors too.
 */
export async function publishRunner(publication: Publication): Promise<PublishedRunner> {
  const { client, release, target, allowOlder, now, progress } = publication;
  const { repositories, imageTag, variant } = target;
  requireAddresses(target);
  const [repository] = repositories;
  const images = await Promise.all(publication.images.map((image) => readRunner(client, image, publication)));
  const platforms = byPlatform(images);
  const digests = platforms.map(({ image }) => image.digest);
  const [first, ...others] = digests;
  if (first === undefined)
    throw new KilnError("usage", "there is no image to publish", { mend: "Name it by --image." });
  const digest = others.length === 0 ? first : await pushIndex(client, { repository }, digests);
  const buildTag = runnerBuildTag(release.version, variant, digest);

  const moves: Record<string, RunnerMove> = {};
  for (const to of repositories) {
    requireBuildTag(`${to}:${buildTag}`, digest, await readDigest(client, { repository: to, tag: buildTag }));
    const before = await readTagged(client, to, imageTag);
    const image = { digest, version: release.version };
    moves[to] = runnerMove({ at: `${to}:${imageTag}`, channel: release.channel, image, before, allowOlder });
  }
  const packageLists: Record<string, string> = {};
  for (const { image } of platforms) packageLists[image.digest] = await attachPackageList(publication, image);
  for (const to of repositories) {
    if (to !== repository) {
      progress.step(`copying ${repository}@${digest} to ${to}`);
      await copyWithReferrers(client, { repository, digest }, { repository: to, tag: buildTag });
    } else await tagManifest(client, { repository, digest }, buildTag);
  }
  for (const [to, move] of Object.entries(moves)) {
    if (move.kind === "unchanged") continue;
    progress.step(`tagging ${to}:${imageTag}`);
    const { kind, replaces } = move;
    const record = { release: release.tag, version: release.version.text, imageTag, buildTag, digest, move: kind };
    // Before the tag moves: who sees the new image finds out what it replaced.
    await attachRunnerRecord(
      client,
      { repository: to, digest },
      { ...record, ...(replaces === undefined ? {} : { replaces }), at: now.toISOString() },
    );
    await tagManifest(client, { repository: to, digest }, imageTag);
  }
  return { digest, platforms: platforms.map(({ platform }) => platform), imageTag, buildTag, packageLists, moves };
}

/** Refuses registries that nobody has filled in. */
function requireAddresses({ repositories }: RunnerTarget): void {
  const open = repositories.find(isPlaceholder);
  if (open === undefined) return;
  throw new KilnError("usage", `${open} is an example`, {
    mend: "Name your own registries in images/pulumi-runner/registries.json, or by --registry.",
  });
}

/** An image with its platform, after a look at its labels: it must be what the release says, and fit to leave this machine. */
async function readRunner(client: RegistryClient, image: PinnedImage, { release, target }: Publication) {
  const [repository] = target.repositories;
  if (image.repository !== repository) {
    throw new KilnError("usage", `${formatReference(image)} is not in ${repository}`, {
      mend: "`kiln language push` puts it there.",
    });
  }
  const { config } = await readImage(client, image);
  const isAtHome = target.repositories.every((to) => isLoopback(registryHost(to)));
  requireLabels(formatReference(image), config.config?.Labels ?? {}, { release, target, isAtHome });
  return { image, platform: `${config.os}/${config.architecture}` };
}

/** Refuses an image that is none of a release's target, or that was made for tests and would leave the machine. Pure. */
export function requireLabels(
  image: string,
  labels: Readonly<Record<string, string>>,
  wanted: {
    readonly release: Pick<RunnerRelease, "version">;
    readonly target: Pick<RunnerTarget, "language" | "variant">;
    /** Whether all registries are on this machine. */
    readonly isAtHome: boolean;
  },
): void {
  const { release, target, isAtHome } = wanted;
  const expected = {
    "org.opencontainers.image.version": release.version.text,
    "dev.kiln.language.name": target.language,
    "dev.kiln.language.variant": target.variant,
  };
  for (const [name, value] of Object.entries(expected)) {
    if (labels[name] === value) continue;
    throw new KilnError("usage", `${image} has ${labels[name] ?? "nothing"} as its ${name}, not ${value}`, {
      mend: "Build the image of this tag: `kiln language build`.",
    });
  }
  if (isAtHome) return;
  if (labels["dev.kiln.language.loopback-hosts"] !== "false") {
    throw new KilnError("usage", `${image} was built with --loopback-hosts: it does not leave this machine`, {
      mend: "Build it without that switch.",
    });
  }
  if (labels["org.opencontainers.image.base.digest"]?.startsWith("sha256:") !== true) {
    throw new KilnError("usage", `${image} stands on a base that no digest names: nobody could make it again`, {
      mend: "`npx kiln language pin` writes base.digest into images/pulumi-runner/languages.json; or name a base by digest with --base-image.",
    });
  }
}

/** What a tag names, and the Pulumi version that the image says; of an index, that of any of its images. */
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
