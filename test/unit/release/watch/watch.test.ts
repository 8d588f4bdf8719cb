import { describe, expect, it } from "vitest";
import { silent } from "../../../../progress.ts";
import { FeedClient } from "../../../../release/watch/feed-client.ts";
import { shortMemory } from "../../../../release/watch/feed-memory.ts";
import { tagMessage } from "../../../../release/watch/finding.ts";
import { parseWatchPolicy } from "../../../../release/watch/policy.ts";
import type { TagRepository, TagRequest } from "../../../../release/watch/tag-repository.ts";
import { watchOnce } from "../../../../release/watch/watch.ts";
import { ReleaseFeed, watchFile, type FeedRelease } from "../../../support/release-feed.ts";
import { HOUR } from "./watch-world.ts";

const COMMIT = "c".repeat(40);

/** One look at a version whose images in production did not come; its tag, which is to be pushed again, cannot be removed so. */
async function lookAgain(removed: "removed" | "gone" | "changed") {
  const feed = await ReleaseFeed.start();
  feed.releases = [{ version: "3.253.0", hoursAgo: 500 }];
  const pushed: TagRequest[] = [];
  const about = { object: "o", commit: COMMIT, made: Date.now() - 80 * HOUR, message: tagMessage("tried", 1) };
  const repository: TagRepository = {
    name: "acme/infra",
    readTags: () => Promise.resolve(["v3.253.0"]),
    readTag: (name) => Promise.resolve({ name, ...about }),
    readHead: () => Promise.resolve("head"),
    push: (tag) => {
      pushed.push(tag);
      return Promise.resolve("pushed");
    },
    remove: () => Promise.resolve(removed),
  };
  const { tags } = await watchOnce({
    policy: parseWatchPolicy(watchFile(feed), "watch.yaml"),
    client: new FeedClient({ memory: shortMemory() }),
    registries: { production: [`${feed.host}/kiln`], preproduction: [`${feed.host}/kiln`] },
    ...{ repository, now: Date.now, dryRun: false, progress: silent },
  });
  return { tags, pushed };
}

/** What is said of each version where GitHub, npm, PyPI and a Go proxy are asked. */
async function reasons(releases: readonly FeedRelease[]) {
  const feed = await ReleaseFeed.start();
  feed.releases = releases;
  const none = () => Promise.reject(new Error("not asked"));
  const repository = { name: "r", readTags: () => Promise.resolve([]), readTag: none, readHead: none };
  const sources = ["github", "npm", "pypi", "go"] as const;
  const { versions } = await watchOnce({
    policy: parseWatchPolicy(watchFile(feed, [], { sources }), "watch.yaml"),
    client: new FeedClient({ memory: shortMemory() }),
    registries: { production: [`${feed.host}/kiln`], preproduction: [`${feed.host}/kiln`] },
    repository: { ...repository, push: none, remove: none },
    ...{ now: Date.now, dryRun: true, progress: silent },
  });
  return versions.map(({ version, reason }) => [version, reason]);
}

describe("a version upstream", () => {
  it("is as young as it is, whatever one source and the date of a commit say", async () => {
    const released = [
      { version: "3.253.2", hoursAgo: 3, lies: { npm: 400_000 } },
      { version: "3.253.1", hoursAgo: 3, on: ["npm", "go"], lies: { npm: 400_000 } },
      { version: "3.253.0", hoursAgo: 50 },
    ] as const;
    expect(await reasons(released)).toEqual([
      ["3.253.2", expect.stringMatching(/^[34] h old, and 24 h are asked for$/)],
      ["3.253.1", "only npm says when it was published, and 2 have to"],
      ["3.253.0", "new: known to github and npm and pypi and go"],
    ]);
  });

  it("is withdrawn where the module's latest version retracts it", async () => {
    const released = [
      { version: "3.253.1", hoursAgo: 50 },
      { version: "3.253.0", hoursAgo: 60, retracted: "broken" },
    ];
    expect((await reasons(released))[1]).toEqual(["3.253.0", "go: retracted: broken"]);
  });
});

describe("a tag that is pushed again", () => {
  it.each(["removed", "gone"] as const)("is pushed at once, with its count, where it is %s", async (removed) => {
    const { tags, pushed } = await lookAgain(removed);
    expect(tags).toEqual([{ tag: "v3.253.0", outcome: "pushed" }]);
    expect(pushed).toMatchObject([
      { name: "v3.253.0", commit: COMMIT, message: expect.stringContaining("\n\nAttempt: 2") as string },
    ]);
  });

  it("is left alone where it is another one by now", async () => {
    expect(await lookAgain("changed")).toEqual({ tags: [{ tag: "v3.253.0", outcome: "there already" }], pushed: [] });
  });
});
