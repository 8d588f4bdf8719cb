import type { FeedClient } from "../feed-client.ts";
import type { Source } from "../source.ts";
import type { UpstreamRelease } from "../upstream.ts";
import { list, object, time } from "./document.ts";

/** Versions of a package on PyPI: withdrawn where every file of one is yanked, unknown where it has none. */
export async function readPypiReleases(
  client: FeedClient,
  { address, project }: Source,
): Promise<readonly UpstreamRelease[]> {
  const request = { address: `${address}/pypi/${project}/json`, accept: "application/json", digest: pypiReleases };
  return (await client.read(request)) ?? [];
}

/** The versions in a package's document. Throws where it is none. */
export function pypiReleases(document: string): readonly UpstreamRelease[] {
  const { releases } = object(JSON.parse(document));
  return Object.entries(object(releases)).flatMap(([name, entries]) => {
    const files = list(entries).map(object);
    const [first] = files;
    if (first === undefined) return [];
    const yanked = files.every((file) => file.yanked === true);
    const reason = files.map((file) => file.yanked_reason).find((why) => typeof why === "string");
    const why = reason === undefined ? "yanked" : `yanked: ${reason.slice(0, 200)}`;
    return [{ name, ...time(first.upload_time_iso_8601), ...(yanked ? { withdrawn: why } : {}) }];
  });
}
