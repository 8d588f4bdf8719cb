import { beforeEach, describe, expect, it } from "vitest";
import { githubTags } from "../../../../release/watch/github-tags.ts";
import { FakeGithub, type Answer } from "../github/fake-github.ts";

const ROOT = "/repos/acme/infra/git";
let github: FakeGithub;
let answers: Record<string, Answer>;

beforeEach(async () => {
  github = await FakeGithub.start();
  answers = {
    [`GET ${ROOT}/matching-refs/tags/dev-v?per_page=100`]: ok([
      ref("dev-v1.0.0", "tag1", "tag"),
      ref("dev-vx", "c", "commit"),
    ]),
    [`GET ${ROOT}/matching-refs/tags/latest-v?per_page=100`]: ok([]),
    [`GET ${ROOT}/matching-refs/tags/v?per_page=100`]: ok([ref("v0.9.0", "c9", "commit")]),
    [`GET ${ROOT}/tags/tag1`]: ok({
      sha: "tag1",
      object: { sha: "c1" },
      message: "why",
      tagger: { date: "2026-11-20T12:00:00Z" },
    }),
    [`GET ${ROOT}/ref/tags/dev-v1.0.0`]: ok(ref("dev-v1.0.0", "tag1", "tag")),
    [`GET ${ROOT}/ref/tags/v0.9.0`]: ok(ref("v0.9.0", "c9", "commit")),
    [`GET ${ROOT}/ref/heads/main`]: ok({ ref: "refs/heads/main", object: { sha: "head", type: "commit" } }),
    [`POST ${ROOT}/tags`]: { status: 201, body: { sha: "tag2" } },
    [`POST ${ROOT}/refs`]: { status: 201, body: {} },
  };
  github.answer = ({ method, url }) => answers[`${method} ${url}`] ?? { status: 404, body: {} };
});

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function ref(name: string, sha: string, type: string) {
  return { ref: `refs/tags/${name}`, object: { sha, type } };
}

describe("tags by GitHub's API", () => {
  it("are those of the grammar, without a request for each", async () => {
    expect(await githubTags(github.connection).readTags()).toEqual(["dev-v1.0.0", "v0.9.0"]);
    expect(github.asked).toHaveLength(3);
  });

  it("lead to a commit, annotated or not", async () => {
    const tags = githubTags(github.connection);
    const found = await Promise.all(["dev-v1.0.0", "v0.9.0"].map((name) => tags.readTag(name)));
    expect(found.map(({ object, commit }) => [object, commit])).toEqual([
      ["tag1", "c1"],
      ["c9", "c9"],
    ]);
    await expect(tags.readTag("dev-v9.0.0")).rejects.toThrow(/has no tag dev-v9.0.0 any more/);
  });

  it("say when and why they were made, where they are annotated", async () => {
    const tags = githubTags(github.connection);
    const made = Date.parse("2026-11-20T12:00:00Z");
    expect(await tags.readTag("dev-v1.0.0")).toMatchObject({ made, message: "why" });
    expect(await tags.readTag("v0.9.0")).toMatchObject({ made: undefined, message: "" });
  });

  it("are removed as long as they are what was seen", async () => {
    const tags = githubTags(github.connection);
    const removal = `DELETE ${ROOT}/refs/tags/dev-v1.0.0`;
    expect(await tags.remove({ name: "dev-v1.0.0", object: "other" })).toBe("changed");
    expect(await tags.remove({ name: "dev-v9.0.0", object: "tag1" })).toBe("gone");
    expect(github.writes).toEqual([]);
    answers[removal] = { status: 204 };
    expect(await tags.remove({ name: "dev-v1.0.0", object: "tag1" })).toBe("removed");
    answers[removal] = { status: 422, body: { message: "Repository rule violations found" } };
    await expect(tags.remove({ name: "dev-v1.0.0", object: "tag1" })).rejects.toThrow(/rule violations/);
  });

  it.each([
    ["gone", undefined, [502, 422]],
    ["gone", undefined, [502, 502, 502]],
    ["changed", "tag3", [502, 422]],
  ])("are %s where the answer to their removal was lost", async (outcome, after, statuses) => {
    const removal = `DELETE ${ROOT}/refs/tags/dev-v1.0.0`;
    const before = github.answer;
    github.answer = (request) => {
      if (`${request.method} ${request.url}` !== removal) return before(request);
      const found = `GET ${ROOT}/ref/tags/dev-v1.0.0`;
      answers[found] = after === undefined ? { status: 404, body: {} } : ok(ref("dev-v1.0.0", after, "tag"));
      return { status: statuses.shift() ?? 204, body: { message: "Reference does not exist" } };
    };
    const tags = githubTags(github.connection);
    expect(await tags.remove({ name: "dev-v1.0.0", object: "tag1" })).toBe(outcome);
    expect(statuses).toEqual([]);
  });

  it("are made annotated", async () => {
    const tags = githubTags(github.connection);
    const commit = await tags.readHead("main");
    expect(await tags.push({ name: "v1.0.0", commit, message: "why" })).toBe("pushed");
    expect(github.asked.filter(({ method }) => method === "POST").map(({ body }) => body)).toEqual([
      { tag: "v1.0.0", message: "why", object: "head", type: "commit" },
      { ref: "refs/tags/v1.0.0", sha: "tag2" },
    ]);
  });

  it("are left alone where somebody made them in the meantime", async () => {
    answers[`POST ${ROOT}/refs`] = { status: 422, body: { message: "Reference already exists" } };
    const tags = githubTags(github.connection);
    expect(await tags.push({ name: "dev-v1.0.0", commit: "head", message: "why" })).toBe("there");
    await expect(tags.push({ name: "v2.0.0", commit: "head", message: "why" })).rejects.toThrow(/answered 422/);
  });

  it("need a permission, which is named, and a branch", async () => {
    answers[`POST ${ROOT}/tags`] = { status: 403, body: { message: "Resource not accessible by integration" } };
    const tags = githubTags(github.connection);
    await expect(tags.push({ name: "v1.0.0", commit: "head", message: "why" })).rejects.toMatchObject({
      permission: "contents: write",
    });
    await expect(tags.readHead("trunk")).rejects.toThrow(/has no branch trunk/);
  });
});
