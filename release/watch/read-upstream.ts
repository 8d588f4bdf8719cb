import { KilnError, messageOf } from "../../errors.ts";
import type { FeedClient } from "./feed-client.ts";
import type { WatchPolicy } from "./policy.ts";
import type { Source } from "./source.ts";
import { readGithubReleases } from "./sources/github.ts";
import { readGoReleases } from "./sources/go.ts";
import { readNpmReleases } from "./sources/npm.ts";
import { readPypiReleases } from "./sources/pypi.ts";
import type { Reading, UpstreamRelease } from "./upstream.ts";
import type { Version } from "../version.ts";

/** What one source may take in all, its waits for limits included: a look has a deadline, and the others have answered. */
const PATIENCE_MS = 150_000;

/**
 * Asks every kind of source, at the same time; of a kind, one after the other until one has answered: they stand in for each
 * other. Every kind is asked, since each can withdraw a version without the others. Gives every answer and every failure.
 */
export async function readUpstream(client: FeedClient, policy: WatchPolicy): Promise<readonly Reading[]> {
  const kinds = Map.groupBy(policy.sources, ({ kind }) => kind);
  const readings = await Promise.all(
    [...kinds.values()].map(async (sources) => {
      const own: Reading[] = [];
      for (const source of sources) {
        if (answered(own) > 0) break;
        own.push(await readingOf(client.within(PATIENCE_MS), source, policy.floor));
      }
      return own;
    }),
  );
  return readings.flat();
}

/** Throws where fewer sources answered than have to know a version: no decision would be one. */
export function requireAnswers(readings: readonly Reading[], { confirmations }: WatchPolicy): void {
  if (answered(readings) >= confirmations) return;
  const faults = readings.flatMap((reading) => ("fault" in reading ? [`${reading.source}: ${reading.fault}`] : []));
  throw new KilnError("unreachable", `${confirmations} sources have to answer, and did not: ${faults.join("; ")}`, {
    mend: "Run it again later, or name more sources in the watcher's file.",
  });
}

/** How many kinds of sources have answered: a version is known to kinds, not to each mirror of one. */
function answered(readings: readonly Reading[]): number {
  return new Set(readings.flatMap((reading) => ("fault" in reading ? [] : [reading.source]))).size;
}

/** What a source says. One that knows nothing at all has failed: it is not the project's. */
async function readingOf(client: FeedClient, source: Source, floor: Version): Promise<Reading> {
  try {
    const releases = await readReleases(client, source, floor);
    if (releases.length === 0) return { source: source.kind, fault: `it knows no release of ${source.project}` };
    return { source: source.kind, releases };
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "unreachable") throw error;
    return { source: source.kind, fault: messageOf(error) };
  }
}

function readReleases(client: FeedClient, source: Source, floor: Version): Promise<readonly UpstreamRelease[]> {
  switch (source.kind) {
    case "github":
      return readGithubReleases(client, source, floor);
    case "npm":
      return readNpmReleases(client, source);
    case "go":
      return readGoReleases(client, source);
    case "pypi":
      return readPypiReleases(client, source);
  }
}
