import { describe, expect, it } from "vitest";
import { parseVersion } from "../../../../../release/version.ts";
import { FeedClient } from "../../../../../release/watch/feed-client.ts";
import { shortMemory } from "../../../../../release/watch/feed-memory.ts";
import { githubReleases, readGithubReleases } from "../../../../../release/watch/sources/github.ts";
import { goVersions, readGoReleases, retractions } from "../../../../../release/watch/sources/go.ts";
import { npmReleases } from "../../../../../release/watch/sources/npm.ts";
import { pypiReleases } from "../../../../../release/watch/sources/pypi.ts";
import { FakeGithub } from "../../github/fake-github.ts";

const TIME = "2026-09-15T08:00:00Z";
const published = Date.parse(TIME);

function floorOf(text: string) {
  const floor = parseVersion(text);
  if (floor === undefined) throw new Error(text);
  return floor;
}

describe("releases on GitHub", () => {
  it("are drafts, pre-releases and whatever people call a tag", () => {
    const entries = [
      { tag_name: "v1.0.0", draft: false, prerelease: false, published_at: TIME },
      { tag_name: "v1.1.0", draft: true, prerelease: false, published_at: null },
      { tag_name: "v1.2.0-rc.1", draft: false, prerelease: true, published_at: TIME },
      { tag_name: 7 },
    ];
    expect(githubReleases(JSON.stringify(entries))).toEqual([
      { name: "v1.0.0", published },
      { name: "v1.1.0", unfinished: true },
      { name: "v1.2.0-rc.1", published, unfinished: true },
      { name: "7" },
    ]);
    expect(() => githubReleases('{"message":"Not Found"}')).toThrow(/no list/);
  });

  it("are read page after page until one has nothing from the floor on", async () => {
    const server = await FakeGithub.start();
    server.answer = ({ url }) => {
      const page = Number(/page=(\d+)$/.exec(url)?.[1]);
      const entries = Array.from({ length: 100 }, (_, index) => ({ tag_name: `v3.${300 - page * 100}.${index}` }));
      return { status: 200, body: entries };
    };
    const source = { kind: "github", project: "a/b", address: server.address } as const;
    const client = new FeedClient({ memory: shortMemory() });
    expect(await readGithubReleases(client, source, floorOf("3.200.50"))).toHaveLength(200);
    expect(server.asked.map(({ url }) => url)).toEqual(
      [1, 2].map((page) => `/repos/a/b/releases?per_page=100&page=${page}`),
    );
  });
});

describe("versions on npm", () => {
  it("are withdrawn where they are deprecated or unpublished", () => {
    const document = {
      versions: { "1.0.0": {}, "1.0.1": { deprecated: "broken" }, "1.0.2": { deprecated: "" } },
      time: { created: TIME, modified: TIME, "1.0.0": TIME, "1.0.3": TIME },
    };
    expect(npmReleases(JSON.stringify(document))).toEqual([
      { name: "1.0.0", published },
      { name: "1.0.1", withdrawn: "deprecated: broken" },
      { name: "1.0.2" },
      { name: "1.0.3", published, withdrawn: "unpublished" },
    ]);
    expect(() => npmReleases("<html>")).toThrow();
    expect(() => npmReleases('{"error":"not found"}')).toThrow(/no map/);
  });
});

describe("versions on PyPI", () => {
  it("are withdrawn where every file is yanked, and unknown without files", () => {
    const file = (yanked: boolean, reason: string | null = null) => ({
      yanked,
      yanked_reason: reason,
      upload_time_iso_8601: TIME,
    });
    const releases = {
      "1.0.0": [file(false)],
      "1.0.1": [file(true, "bad"), file(true)],
      "1.0.2": [file(true), file(false)],
      "1.0.3": [],
    };
    expect(pypiReleases(JSON.stringify({ releases }))).toEqual([
      { name: "1.0.0", published },
      { name: "1.0.1", published, withdrawn: "yanked: bad" },
      { name: "1.0.2", published },
    ]);
  });
});

describe("versions of a Go module", () => {
  it("are the lines of a list", () => {
    expect(goVersions("v1.0.0\nv1.1.0 2026-01-01T00:00:00Z\n\n")).toEqual(["v1.0.0", "v1.1.0"]);
  });

  it("are retracted one by one, by interval and in blocks", () => {
    const lines = [
      ...["module a", "retract v1.0.0", "retract [v1.1.0, v1.1.9] // too early", "retract (", "  v1.2.0 // no", ""],
      ...["  [v1.3.0, v1.3.1]", ")", "require b v9.9.9"],
    ];
    expect(retractions(lines.join("\n")).map(({ from, to, reason }) => [from.text, to.text, reason])).toEqual([
      ["1.0.0", "1.0.0", "retracted"],
      ["1.1.0", "1.1.9", "retracted: too early"],
      ["1.2.0", "1.2.0", "retracted: no"],
      ["1.3.0", "1.3.1", "retracted"],
    ]);
  });

  it("are read without a time, and with what the latest go.mod retracts; capitals are escaped", async () => {
    const server = await FakeGithub.start();
    const texts: Readonly<Record<string, unknown>> = {
      "/example.com/!big/tool/@latest": { Version: "v1.2.0" },
    };
    server.answer = ({ url }) => ({ status: url in texts ? 200 : 404, body: texts[url] });
    const client = new FeedClient({ memory: shortMemory() });
    // The fake answers in JSON alone: the list and the go.mod come from this memory.
    const plain: Readonly<Record<string, unknown>> = {
      "@v/list": ["v0.9.0", "v1.0.0", "v1.2.0-rc.1", "v1.2.0"],
      "@v/v1.2.0.mod": retractions("retract v1.0.0 // broken"),
    };
    const own = {
      read: (request: Parameters<FeedClient["read"]>[0]) => {
        const [name] = Object.keys(plain).filter((path) => request.address.endsWith(path));
        return name === undefined ? client.read(request) : Promise.resolve(plain[name]);
      },
    } as FeedClient;
    const source = { kind: "go", project: "example.com/Big/tool", address: server.address } as const;
    expect(await readGoReleases(own, source)).toEqual([
      { name: "v0.9.0" },
      { name: "v1.0.0", withdrawn: "retracted: broken" },
      { name: "v1.2.0-rc.1" },
      { name: "v1.2.0" },
    ]);
    expect(server.asked.map(({ url }) => url)).toEqual(["/example.com/!big/tool/@latest"]);
  });

  it("are not asked for by a name that is no version", async () => {
    const server = await FakeGithub.start();
    server.answer = ({ url }) => ({
      status: url.endsWith("@latest") ? 200 : 404,
      body: { Version: "../\n::error::a" },
    });
    const source = { kind: "go", project: "a.b/c", address: server.address } as const;
    await expect(readGoReleases(new FeedClient({ memory: shortMemory() }), source)).rejects.toThrow(
      `${server.address}/a.b/c/@latest is not what a source of releases gives: its latest version is none`,
    );
  });
});
