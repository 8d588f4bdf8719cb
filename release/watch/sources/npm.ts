import type { FeedClient } from "../feed-client.ts";
import type { Source } from "../source.ts";
import type { UpstreamRelease } from "../upstream.ts";
import { object, time } from "./document.ts";

/** Versions of a package on npm: a deprecated one is withdrawn, as is one that has a date and nothing else left. */
export async function readNpmReleases(
  client: FeedClient,
  { address, project }: Source,
): Promise<readonly UpstreamRelease[]> {
  const name = project.replace("/", "%2f");
  return (await client.read({ address: `${address}/${name}`, accept: "application/json", digest: npmReleases })) ?? [];
}

/** The versions in a package's document. Throws where it is none. */
export function npmReleases(document: string): readonly UpstreamRelease[] {
  const { versions, time: times } = object(JSON.parse(document));
  const dates = times === undefined ? {} : object(times);
  const there = Object.entries(object(versions)).map(([name, entry]) => {
    const { deprecated } = object(entry);
    const said = typeof deprecated === "string" && deprecated !== "" ? `deprecated: ${deprecated}` : undefined;
    return { name, ...time(dates[name]), ...(said === undefined ? {} : { withdrawn: said.slice(0, 200) }) };
  });
  const names = new Set(["created", "modified", "unpublished", ...there.map(({ name }) => name)]);
  const gone = Object.keys(dates).filter((name) => !names.has(name));
  return [...there, ...gone.map((name) => ({ name, ...time(dates[name]), withdrawn: "unpublished" }))];
}
