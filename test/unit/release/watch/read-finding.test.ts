import { beforeEach, describe, expect, it } from "vitest";
import { tagMessage } from "../../../../release/watch/finding.ts";
import { readFinding } from "../../../../release/watch/read-finding.ts";
import type { KnownTag, TagRepository } from "../../../../release/watch/tag-repository.ts";
import { ReleaseFeed } from "../../../support/release-feed.ts";
import { AFTER, HOUR, policyOf } from "./watch-world.ts";

const [TRIED, OTHER] = ["a", "b"].map((digit) => digit.repeat(40)) as [string, string];
const [GOLANG, PYTHON] = ["golang", "python"].map((language) => `kiln/runner-pulumi-${language}`) as [string, string];
const ASKED = { required: { languages: ["golang", "python"], variants: ["slim"] } } as const;

let feed: ReleaseFeed;
let made: number;

beforeEach(async () => {
  feed = await ReleaseFeed.start();
  made = Date.now() - 60 * HOUR;
});

/** The finding about a tag of the watcher's at the commit that was tried. */
function finding(name: string, policy = AFTER, known: Partial<KnownTag> = {}) {
  const tag = { name, object: "o", commit: TRIED, made, message: tagMessage("new", 1), ...known };
  const repository = { name: "origin", readTag: () => Promise.resolve(tag) } as unknown as TagRepository;
  const registries = { production: [`${feed.host}/kiln`], preproduction: [`${feed.host}/kiln`] };
  return readFinding(name, { repository, registries, policy: { ...policy, ...ASKED }, now: Date.now() });
}

const hoursSince = (time: number | undefined) => Math.round((Date.now() - (time ?? NaN)) / HOUR);

describe("images to try", () => {
  it("are there since the last of them is, not since their tag", async () => {
    feed.addImage({ name: `${GOLANG}:v1.0.0`, revision: TRIED, hoursAgo: 50 });
    feed.addImage({ name: `${PYTHON}:v1.0.0`, revision: TRIED, hoursAgo: 20 });
    const found = await finding("dev-v1.0.0");
    expect(found).toMatchObject({ commit: TRIED, object: "o", begun: made, attempt: 1, missing: [], fault: undefined });
    expect(hoursSince(found.since)).toBe(20);
  });

  it("are missing where there is none, and then nothing more is asked", async () => {
    feed.addImage({ name: `${GOLANG}:v1.0.0`, revision: TRIED });
    const found = await finding("dev-v1.0.0");
    expect([found.missing, found.since]).toEqual([[`${feed.host}/${PYTHON}:v1.0.0`], undefined]);
    expect(feed.asked).toHaveLength(2);
  });

  it("are missing where those there are of another commit than their tag", async () => {
    feed.addImage({ name: `${GOLANG}:v1.0.0`, revision: TRIED });
    feed.addImage({ name: `${PYTHON}:v1.0.0`, revision: OTHER });
    const found = await finding("dev-v1.0.0");
    expect([found.missing, found.since]).toEqual([
      [`${feed.host}/${PYTHON}:v1.0.0 of commit aaaaaaaaaaaa (there of commit bbbbbbbbbbbb)`],
      undefined,
    ]);
  });

  it("are missing where those there have no record, or one of another tag", async () => {
    feed.addImage({ name: `${GOLANG}:v1.0.0`, revision: TRIED });
    feed.addImage({ name: `${PYTHON}:v1.0.0`, revision: TRIED, record: "none" });
    expect((await finding("dev-v1.0.0")).missing).toEqual([
      `${feed.host}/${PYTHON}:v1.0.0 (there without a record of its release)`,
    ]);
  });

  it("are only looked for where production is by hand", async () => {
    for (const image of [GOLANG, PYTHON]) feed.addImage({ name: `${image}:v1.0.0`, revision: OTHER });
    const found = await finding("dev-v1.0.0", policyOf());
    expect([found.missing, found.since, feed.asked.length]).toEqual([[], undefined, 2]);
  });

  it("are unknown where the registry does not say", async () => {
    feed.refusals.set("/v2", { status: 403 });
    const found = await finding("dev-v1.0.0");
    expect([found.missing, found.fault]).toEqual([[], expect.stringContaining("answered 403")]);
  });

  it("are unknown, and not without a record, where the registry fails to say what is attached", async () => {
    for (const image of [GOLANG, PYTHON]) feed.addImage({ name: `${image}:v1.0.0`, revision: TRIED });
    feed.refusals.set(`/v2/${PYTHON}/referrers`, { status: 503 });
    const found = await finding("dev-v1.0.0");
    expect([found.missing, found.fault]).toEqual([[], expect.stringContaining("answered 503")]);
  });
});

describe("images in production", () => {
  it("are there by their version's tag", async () => {
    feed.addImage({ name: `${GOLANG}:v1.0.0`, revision: OTHER });
    expect((await finding("v1.0.0")).missing).toEqual([`${feed.host}/${PYTHON}:v1.0.0`]);
  });

  it("are missing where those there are of before their tag, and of another commit", async () => {
    feed.addImage({ name: `${GOLANG}:v1.0.0`, revision: OTHER, hoursAgo: 70 });
    feed.addImage({ name: `${PYTHON}:v1.0.0`, revision: OTHER, hoursAgo: 50 });
    const { missing, since } = await finding("v1.0.0");
    expect([missing, since]).toEqual([
      [`${feed.host}/${GOLANG}:v1.0.0 of commit aaaaaaaaaaaa (there of commit bbbbbbbbbbbb)`],
      undefined,
    ]);
  });

  it("are there where the same commit was released before, or somebody put them there", async () => {
    feed.addImage({ name: `${GOLANG}:v1.0.0`, revision: TRIED, hoursAgo: 70 });
    feed.addImage({ name: `${PYTHON}:v1.0.0`, revision: OTHER, record: "none" });
    expect((await finding("v1.0.0")).missing).toEqual([]);
  });

  it("are only looked for where their tag is old", async () => {
    for (const image of [GOLANG, PYTHON]) {
      feed.addImage({ name: `${image}:v1.0.0`, revision: OTHER, hoursAgo: 200 });
    }
    const young = Date.now() - 143 * HOUR;
    expect((await finding("v1.0.0", AFTER, { made: young })).missing).toHaveLength(2);
    feed.asked.length = 0;
    for (const made of [Date.now() - 145 * HOUR, undefined]) {
      expect((await finding("v1.0.0", AFTER, { made })).missing).toEqual([]);
    }
    expect(feed.asked).toHaveLength(4);
  });

  it.each<[string, string, number, boolean]>([
    ["the version", "1.0.0", 1, true],
    ["a higher one", "1.1.0", 1, true],
    ["a lower one of before", "0.9.0", 70, false],
    ["a lower one to which somebody went back since", "0.9.0", 50, true],
  ])("are there as latest where it names %s", async (_, version, hoursAgo, isThere) => {
    for (const image of [GOLANG, PYTHON]) {
      feed.addImage({ name: `${image}:latest`, version, revision: OTHER, hoursAgo });
    }
    const { missing } = await finding("latest-v1.0.0");
    const behind = [GOLANG, PYTHON].map((image) => `${feed.host}/${image}:latest (there as ${version})`);
    expect(missing).toEqual(isThere ? [] : behind);
  });
});
