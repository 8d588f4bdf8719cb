import { describe, expect, it } from "vitest";
import { FeedClient } from "../../../../release/watch/feed-client.ts";
import { shortMemory } from "../../../../release/watch/feed-memory.ts";
import { parseWatchPolicy } from "../../../../release/watch/policy.ts";
import { joined, unheard } from "../../../../release/watch/upstream.ts";
import { readUpstream, requireAnswers } from "../../../../release/watch/read-upstream.ts";
import { FakeGithub } from "../github/fake-github.ts";

const NPM = { versions: { "3.253.0": {} }, time: {} };
const PYPI = { releases: { "3.253.0": [{ yanked: false }] } };
const GITHUB = [{ tag_name: "v3.253.0" }];

/** Reads from three sources, of which these do not answer as they should. */
async function read(wrong: Readonly<Record<string, { status: number; body?: unknown }>>) {
  const server = await FakeGithub.start();
  const right: Readonly<Record<string, unknown>> = { "/repos": GITHUB, "/tool": NPM, "/pypi": PYPI };
  server.answer = ({ url }) => {
    const [path = ""] = Object.keys(right).filter((beginning) => url.startsWith(beginning));
    return wrong[path] ?? { status: 200, body: right[path] };
  };
  const sources = [
    ["github", "a/b"],
    ["npm", "tool"],
    ["pypi", "tool"],
  ].map(([kind = "", project = ""]) => `  - { kind: ${kind}, project: ${project}, address: "${server.address}" }`);
  const policy = parseWatchPolicy(["floor: 3.250.0", "sources:", ...sources].join("\n"), "f");
  const client = new FeedClient({ memory: shortMemory(), pause: () => Promise.resolve() });
  const readings = await readUpstream(client, policy);
  return { readings, policy, asked: server.asked.length };
}

const summary = (readings: Awaited<ReturnType<typeof read>>["readings"]) =>
  readings.map((reading) => [reading.source, "fault" in reading ? "fault" : reading.releases.length]);

describe("the sources", () => {
  it("are all asked, since each may withdraw a version without the others", async () => {
    const yanked = { releases: { "3.253.0": [{ yanked: true }] } };
    const { readings, asked } = await read({ "/pypi": { status: 200, body: yanked } });
    expect([summary(readings), asked]).toEqual([
      [
        ["github", 1],
        ["npm", 1],
        ["pypi", 1],
      ],
      3,
    ]);
    expect(joined(readings).versions[0]?.withdrawn).toBe("pypi: yanked");
    expect(unheard(readings)).toBeUndefined();
  });

  it.each([
    ["fails", { status: 500 }],
    ["refuses", { status: 401 }],
    ["has no such project", { status: 404 }],
    ["knows no release", { status: 200, body: [] }],
    ["gives something else", { status: 200, body: { html: true } }],
  ])("answer for themselves where one %s", async (_, answer) => {
    const { readings, policy } = await read({ "/repos": answer });
    expect(summary(readings)).toEqual([
      ["github", "fault"],
      ["npm", 1],
      ["pypi", 1],
    ]);
    expect(() => {
      requireAnswers(readings, policy);
    }).not.toThrow();
    expect(unheard(readings)).toBe("github");
  });

  it("of one kind are asked one after the other until one answers", async () => {
    const server = await FakeGithub.start();
    server.answer = ({ url }) => (url === "/b/tool" ? { status: 200, body: NPM } : { status: 401 });
    const sources = ["a", "b", "c"].map((path) => `{ kind: npm, project: tool, address: "${server.address}/${path}" }`);
    const policy = parseWatchPolicy(`floor: 3.250.0\nsources: [${sources.join(", ")}]`, "f");
    const readings = await readUpstream(new FeedClient({ memory: shortMemory() }), policy);
    expect(summary(readings)).toEqual([
      ["npm", "fault"],
      ["npm", 1],
    ]);
    expect(server.asked.map(({ url }) => url)).toEqual(["/a/tool", "/b/tool"]);
    expect(unheard(readings)).toBeUndefined();
  });

  it("of one kind count as one", () => {
    const kinds = ["npm", "npm", "pypi"].map((kind) => `  - { kind: ${kind}, project: tool }`);
    const policy = parseWatchPolicy(["floor: 3.250.0", "sources:", ...kinds].join("\n"), "f");
    const readings = ["npm", "npm"].map((source) => ({ source, releases: [{ name: "3.253.0" }] }));
    expect(() => {
      requireAnswers(readings, policy);
    }).toThrow(/2 sources have to answer/);
  });

  it("decide nothing where too few answer", async () => {
    const { readings, policy } = await read({ "/repos": { status: 401 }, "/pypi": { status: 404 } });
    expect(() => {
      requireAnswers(readings, policy);
    }).toThrow(/2 sources have to answer, and did not: github: .* answered 401; pypi: it knows no release of tool/);
  });
});
