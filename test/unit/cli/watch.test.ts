import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { exitCodeOf, watchCommand, watchText } from "../../../cli/watch.ts";
import { silent } from "../../../progress.ts";
import { verdicts, WatchWorld } from "./watch-world.ts";

let world: WatchWorld;

beforeEach(async () => {
  world = await WatchWorld.start();
});

describe("kiln watch --once", { timeout: 60_000 }, () => {
  it("releases what is new and what was missed, and nothing else; a second time it does nothing", async () => {
    world.feed.releases = [
      { version: "3.254.0-alpha.1", hoursAgo: 90, prerelease: true },
      { version: "3.253.2", hoursAgo: 3 },
      { version: "3.253.1", hoursAgo: 30, deprecated: "broken" },
      { version: "3.253.0", hoursAgo: 50 },
      { version: "3.252.1", hoursAgo: 80, on: ["github"] },
      { version: "3.252.0", hoursAgo: 100 },
      { version: "3.251.0", hoursAgo: 200 },
      { version: "3.250.0", hoursAgo: 300 },
      { version: "3.249.0", hoursAgo: 400 },
      { version: "nightly", hoursAgo: 60, on: ["github"] },
    ];
    await world.tags.git("tag", "-a", "-m", "by hand", "v3.250.0");
    await world.tags.git("push", "--quiet", "origin", "v3.250.0");
    world.putReleased("3.250.0");
    await world.configure(["holds:", '  - { versions: ">=3.251.0 <3.252.0", reason: "needs another Go" }']);

    const first = await world.command();
    expect(first.code).toBe(0);
    expect(verdicts(first.watch)).toEqual({
      "3.254.0-alpha.1": "skipped",
      "3.253.2": "waiting",
      "3.253.1": "withdrawn",
      "3.253.0": "release",
      "3.252.1": "waiting",
      "3.252.0": "release",
      "3.251.0": "held",
      "3.250.0": "done",
    });
    expect(watchText(first.watch)).toContain("\npre-releases and drafts left out: 1\n");
    expect(watchText(first.watch)).not.toContain("alpha");
    expect(first.watch.malformed).toEqual([{ source: "github", name: "nightly" }]);
    expect(first.watch.tags).toEqual([
      { tag: "dev-v3.252.0", outcome: "pushed" },
      { tag: "dev-v3.253.0", outcome: "pushed" },
    ]);
    expect(await world.remoteTags()).toEqual(["dev-v3.252.0", "dev-v3.253.0", "v3.250.0"]);

    const second = await world.command();
    expect(second.code).toBe(0);
    expect(second.watch.tags).toEqual([]);
    expect(verdicts(second.watch)).toEqual({
      ...verdicts(first.watch),
      "3.253.0": "building",
      "3.252.0": "building",
    });
    expect(await world.remoteTags()).toEqual(["dev-v3.252.0", "dev-v3.253.0", "v3.250.0"]);
    // What is the same is not sent again.
    expect(
      world.feed.asked.filter((line) => line.includes("/releases") || line.includes("tool ")).map(lastWord),
    ).toEqual([...["200", "200", "304", "304"]]);
  });

  it("pushes every tag once where two look at once", async () => {
    world.feed.releases = [
      { version: "3.252.0", hoursAgo: 100 },
      { version: "3.253.0", hoursAgo: 50 },
    ];
    const both = await Promise.all([world.look(), world.look()]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    // Within one second both make the same object, and Git says of either that it is pushed.
    const outcomes = both.flatMap(({ watch }) => watch.tags.map(({ outcome }) => outcome));
    expect(outcomes.filter((outcome) => outcome !== "pushed" && outcome !== "there already")).toEqual([]);
    expect(await world.remoteTags()).toEqual(["dev-v3.252.0", "dev-v3.253.0"]);
  });

  it("reads anew what was kept and is damaged", async () => {
    world.feed.releases = [{ version: "3.253.0", hoursAgo: 50 }];
    await world.look({ "dry-run": true });
    const kept = path.join(world.folder, "cache/watch");
    for (const name of await readdir(kept)) await writeFile(path.join(kept, name), '{"etag":"x","document":5}');
    expect((await world.look({ "dry-run": true })).watch.tags).toEqual([{ tag: "dev-v3.253.0", outcome: "dry run" }]);
  });

  it("shows what it would do, and does nothing", async () => {
    world.feed.releases = [{ version: "3.253.0", hoursAgo: 50 }];
    const { watch, text } = await world.look({ "dry-run": true });
    expect(watch.tags).toEqual([{ tag: "dev-v3.253.0", outcome: "dry run" }]);
    expect(text).toContain("3.253.0  release  new: known to github and npm; dev-v3.253.0 dry run");
    expect(text).toMatch(/dry run: 1 tag would be pushed to origin$/);
    expect(await world.remoteTags()).toEqual([]);
  });

  it("goes on with the next version where a tag cannot be pushed, and ends with 1", async () => {
    world.feed.releases = [
      { version: "3.252.0", hoursAgo: 100 },
      { version: "3.253.0", hoursAgo: 50 },
    ];
    const hook = "#!/bin/sh\ncase $1 in refs/tags/dev-v3.252.0) echo no >&2; exit 1 ;; esac\n";
    await writeFile(path.join(world.tags.bare, "hooks/update"), hook, { mode: 0o755 });
    const { watch, text, exitCode } = await world.look();
    expect(exitCode).toBe(1);
    expect(watch.tags.map(({ tag, outcome }) => [tag, outcome])).toEqual([
      ["dev-v3.252.0", "failed"],
      ["dev-v3.253.0", "pushed"],
    ]);
    expect(text).toContain("dev-v3.252.0 was not pushed: git push --quiet failed: remote: no\n");
  });

  it("releases nothing where too few sources answer", async () => {
    world.feed.releases = [{ version: "3.253.0", hoursAgo: 50 }];
    world.feed.refusals.set("/@acme", { status: 401 });
    await expect(world.look()).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("npm") as string,
    });
    expect(await world.remoteTags()).toEqual([]);
  });
});

describe("kiln watch", () => {
  it.each<[string, Readonly<Record<string, string | boolean | readonly string[]>>, RegExp]>([
    ["--json without an end", { json: true }, /--json prints one document/],
    ["no number of minutes", { every: "0" }, /--every 0/],
    ["another way", { once: true, via: "ftp" }, /--via ftp/],
    ["another environment", { once: true, registry: ["staging=a.b/c"] }, /--registry staging=a\.b\/c/],
    ["a file that is not there", { once: true, config: "/nowhere" }, /\/nowhere cannot be read/],
  ])("refuses %s", async (_, given, message) => {
    const values = { config: world.config, checkout: world.tags.checkout, ...given };
    const refused = watchCommand.run({ values, positionals: [], progress: silent });
    await expect(refused).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(message) as string });
  });

  it("ends with 3 where images of a version never came, and with 1 where a tag was not pushed", () => {
    const failed = [{ version: "1.0.0", verdict: "failed", reason: "", knownTo: [], tags: [] }] as const;
    expect(exitCodeOf({ tags: [], versions: failed })).toBe(3);
    expect(exitCodeOf({ tags: [{ tag: "v1.0.0", outcome: "failed" }], versions: failed })).toBe(1);
    expect(exitCodeOf({ tags: [], versions: [] })).toBe(0);
    expect(watchText({ repository: "r", dryRun: false, sources: [], versions: [], malformed: [], tags: [] })).toBe(
      "no changes",
    );
  });
});

it("prints what upstream says on one line, and obeys none of it", () => {
  const reason = "npm: deprecated: a\n::error::b \u001b[2J";
  const versions = [{ version: "1.0.0", verdict: "withdrawn", reason, knownTo: [], tags: [] }] as const;
  expect(watchText({ repository: "r", dryRun: false, sources: [], versions, malformed: [], tags: [] })).toBe(
    "1.0.0  withdrawn  npm: deprecated: a\u240a::error::b \u241b[2J\nno changes",
  );
});

it("prints names that are no versions, and faults, as a terminal shows and never obeys them", () => {
  const malformed = [{ source: "npm", name: "\u009b31m\u202e\n::error::a" }];
  const sources = [{ source: "pypi", fault: "b\n::error::c" }];
  expect(watchText({ repository: "r", dryRun: false, sources, versions: [], malformed, tags: [] })).toBe(
    'pypi did not answer: b\u240a::error::c\n"\ufffd31m\ufffd\\n::error::a" of npm is no version\nno changes',
  );
});

it("notes why a tag was not pushed, in lines of which none is a command", () => {
  const tags = [{ tag: "v1.0.0", outcome: "failed", fault: "git push: remote: no\n::add-mask::a" }] as const;
  expect(watchText({ repository: "r", dryRun: false, sources: [], versions: [], malformed: [], tags })).toBe(
    "v1.0.0 was not pushed: git push: remote: no\n\u2237add-mask::a\n0 of 1 tags pushed to r",
  );
});

function lastWord(line: string): string {
  return line.slice(line.lastIndexOf(" ") + 1);
}
