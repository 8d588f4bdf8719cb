import { KilnError } from "../errors.ts";
import { copyWithReferrers, pushIndex, readDigest, type RegistryClient } from "../registry/client.ts";
import { readImage } from "../registry/compose.ts";
import { formatReference, type PinnedImage } from "../registry/image-reference.ts";
import { tagManifest } from "../registry/tag-manifest.ts";
import { byPlatform } from "./platform-index.ts";
import { runnerBuildTag, type RunnerRelease, type RunnerTarget } from "./runner-image.ts";
import { requireBuildTag } from "./runner-move.ts";
import { BASE_DIGEST_LABEL, isHome, requireAddresses, requireBase, type RunnerBase } from "./runner-readiness.ts";
import type { RunnerTag } from "./runner-tag.ts";
import { attachPackageList, type ListOptions } from "./supply/package-list.ts";
import { makeMoves, readMoves, type TagMoves } from "./tag-moves.ts";

/** By which an image names the commit that it was built of (images/pulumi-runner/Dockerfile). */
const REVISION_LABEL = "org.opencontainers.image.revision";

/** What was published of one image of a release. */
export interface PublishedRunner {
  readonly digest: string;
  readonly platforms: readonly string[];
  readonly imageTag: string;
  readonly buildTag: string;
  /** The list of packages (SBOM) of each platform's image: the referrer's digest, by the image's. */
  readonly packageLists: Readonly<Record<string, string>>;
  /** What happened to the moving tag, by repository. */
  readonly moves: TagMoves;
}

/** One image of a release and the tag that it gets, whatever is in it. */
export interface ReleasedImage
  extends Pick<RunnerTag, "tag" | "version" | "channel">, Pick<RunnerTarget, "imageTag" | "repositories"> {
  /** The tag that names the build for ever. */
  readonly buildTag: (digest: string) => string;
  /** Refuses labels that are not those of this image, or not of one that may leave this machine. */
  readonly requireLabels: (image: string, labels: Readonly<Record<string, string>>, isAtHome: boolean) => void;
  /** The command that puts it into the first repository. */
  readonly pushedBy: string;
}

interface Publication extends ListOptions {
  readonly released: ReleasedImage;
  /** In the first repository of the target, one a platform. */
  readonly images: readonly PinnedImage[];
  readonly allowOlder: boolean;
  readonly now: Date;
}

/** A language runner as it is released. Pure. */
export function releasedRunner(release: RunnerRelease, target: RunnerTarget, base: RunnerBase): ReleasedImage {
  const { tag, version, channel } = release;
  const { imageTag, repositories, variant } = target;
  return {
    ...{ tag, version, channel, imageTag, repositories, pushedBy: "kiln language push" },
    buildTag: (digest) => runnerBuildTag(version, variant, digest),
    requireLabels: (image, labels, isAtHome) => {
      requireLabels(image, labels, { release, target, base, isAtHome });
    },
  };
}

/** Publishes one language runner of a release. */
export function publishRunner(
  publication: Omit<Publication, "released"> &
    RunnerBase & { readonly release: RunnerRelease; readonly target: RunnerTarget },
): Promise<PublishedRunner> {
  const { release, target, baseDigest, ...others } = publication;
  return publishImage({ ...others, released: releasedRunner(release, target, { baseDigest }) });
}

/**
 * Publishes one image of a release in all its repositories: the build tag everywhere before the moving tag anywhere, and a
 * record of what each moving tag named before. Whether `latest` may move is asked of all repositories first. What a tag names
 * has its list of packages (SBOM) beside it, in the mirrors too.
 */
export async function publishImage(publication: Publication): Promise<PublishedRunner> {
  const { client, released, allowOlder, now, progress } = publication;
  const { repositories, imageTag, version, channel } = released;
  requireAddresses(released);
  const [repository] = repositories;
  const images = await Promise.all(publication.images.map((image) => readReleased(client, image, released)));
  const platforms = byPlatform(images);
  const revision = common(images, "commit");
  common(images, "base");
  const digests = platforms.map(({ image }) => image.digest);
  const [first, ...others] = digests;
  if (first === undefined)
    throw new KilnError("usage", "there is no image to publish", { mend: "Name it by --image." });
  const digest = others.length === 0 ? first : await pushIndex(client, { repository }, digests);
  const buildTag = released.buildTag(digest);

  for (const to of repositories) {
    requireBuildTag(`${to}:${buildTag}`, digest, await readDigest(client, { repository: to, tag: buildTag }));
  }
  const image = { digest, version };
  const moves = await readMoves(client, { repositories, imageTag, channel, image, allowOlder });
  const packageLists: Record<string, string> = {};
  for (const { image } of platforms) packageLists[image.digest] = await attachPackageList(publication, image);
  for (const to of repositories) {
    if (to !== repository) {
      progress.step(`copying ${repository}@${digest} to ${to}`);
      await copyWithReferrers(client, { repository, digest }, { repository: to, tag: buildTag });
    } else await tagManifest(client, { repository, digest }, buildTag);
  }
  await makeMoves(client, moves, {
    ...{ release: released.tag, version, imageTag, buildTag, now, progress },
    ...(revision === "" ? {} : { revision }),
  });
  return { digest, platforms: platforms.map(({ platform }) => platform), imageTag, buildTag, packageLists, moves };
}

/** An image of one platform, and what its labels say that it was made of: empty where they say nothing. */
interface ReleasedPlatform {
  readonly image: PinnedImage;
  readonly platform: string;
  readonly commit: string;
  /** By its digest. */
  readonly base: string;
}

/** An image with its platform, after a look at its labels: it must be what the release says, and fit to leave this machine. */
async function readReleased(
  client: RegistryClient,
  image: PinnedImage,
  released: ReleasedImage,
): Promise<ReleasedPlatform> {
  const [repository] = released.repositories;
  if (image.repository !== repository) {
    throw new KilnError("usage", `${formatReference(image)} is not in ${repository}`, {
      mend: `\`${released.pushedBy}\` puts it there.`,
    });
  }
  const { config } = await readImage(client, image);
  const labels = config.config?.Labels ?? {};
  released.requireLabels(formatReference(image), labels, isHome(released));
  const [commit, base] = [labels[REVISION_LABEL] ?? "", labels[BASE_DIGEST_LABEL] ?? ""];
  return { image, platform: `${config.os}/${config.architecture}`, commit, base };
}

/** What all images have in common. Throws where one has another commit or base: an index of both would be of neither. */
function common(images: readonly ReleasedPlatform[], part: "commit" | "base"): string {
  const [first, ...others] = images;
  const other = others.find((one) => one[part] !== first?.[part]);
  if (first === undefined || other === undefined) return first?.[part] ?? "";
  const of = (one: ReleasedPlatform) => `${one.platform} of ${one[part] === "" ? `no ${part}` : one[part]}`;
  throw new KilnError("usage", `the images are not of one ${part}: ${of(first)}, ${of(other)}`, {
    mend:
      part === "commit"
        ? "Build all of them at the same commit."
        : "Build all of them on one base, by the digest of its index.",
  });
}

/**
 * Refuses an image that is none of a release's target; and one that would leave the machine and was made for tests, or stands on
 * another base than it shall. Pure.
 */
export function requireLabels(
  image: string,
  labels: Readonly<Record<string, string>>,
  wanted: {
    readonly release: Pick<RunnerRelease, "version">;
    readonly target: Pick<RunnerTarget, "language" | "variant">;
    readonly base: RunnerBase;
    /** Whether all registries are on this machine. */
    readonly isAtHome: boolean;
  },
): void {
  const { release, target, base, isAtHome } = wanted;
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
  requireBase(image, labels, base);
}
