import type { FeedClient } from "../feed-client.ts";
import type { Source } from "../source.ts";
import { releasedAs, type UpstreamRelease } from "../upstream.ts";
import { compareVersions, type Version } from "../../version.ts";
import { list, object, text, time } from "./document.ts";

const PAGE = 100;
/** More pages are not asked for: whoever sets the floor that low wants a mirror. */
const PAGES = 10;

/** Releases on GitHub, the newest first, page after page until one has nothing from the floor on. */
export async function readGithubReleases(
  client: FeedClient,
  { address, project }: Source,
  floor: Version,
): Promise<readonly UpstreamRelease[]> {
  const found: UpstreamRelease[] = [];
  for (let page = 1; page <= PAGES; page++) {
    const releases = await client.read({
      address: `${address}/repos/${project}/releases?per_page=${PAGE}&page=${page}`,
      accept: "application/vnd.github+json",
      digest: githubReleases,
    });
    found.push(...(releases ?? []));
    if (releases === undefined || releases.length < PAGE || releases.every((one) => isBelow(one, floor))) break;
  }
  return found;
}

/** The releases of one page. Throws where it is no such page. */
export function githubReleases(page: string): readonly UpstreamRelease[] {
  return list(JSON.parse(page)).map((entry) => {
    const { tag_name: name, draft, prerelease, published_at: published } = object(entry);
    return {
      name: text(name),
      ...time(published),
      ...(draft === true || prerelease === true ? { unfinished: true } : {}),
    };
  });
}

function isBelow({ name }: UpstreamRelease, floor: Version): boolean {
  const version = releasedAs(name);
  return version !== undefined && compareVersions(version, floor) < 0;
}
