import { beforeEach, describe, expect, it } from "vitest";
import { writeComment } from "../../../../release/github/comment.ts";
import { FakeGithub, someApp, someUser, type Answer } from "./fake-github.ts";

const LIST = "/repos/acme/infra/issues/7/comments";
const comment = (id: number, body: string, login = "kiln-user", type = "User") => ({
  ...{ id, body, html_url: `https://github.com/acme/infra/pull/7#${id}` },
  user: { login, type },
});
const OURS = "<!-- kiln:bake -->\n3 packages";

let github: FakeGithub;
let comments: ReturnType<typeof comment>[];
let user: Answer;

beforeEach(async () => {
  github = await FakeGithub.start();
  [comments, user] = [[], someUser];
  github.answer = ({ method, url, body }) => {
    if (url === "/user") return user;
    if (method === "GET") return { status: 200, body: comments };
    return { status: method === "POST" ? 201 : 200, body: comment(99, (body as { body: string }).body) };
  };
});

const write = (text = "3 packages") => writeComment(github.connection, { pullRequest: 7, name: "bake", text });

describe("writeComment", () => {
  it("makes the first", async () => {
    comments = [comment(1, "looks good")];
    expect(await write()).toEqual({
      outcome: "created",
      address: "https://github.com/acme/infra/pull/7#99",
      cut: false,
    });
    expect(github.asked.at(-1)).toMatchObject({ method: "POST", url: LIST, body: { body: OURS } });
  });

  it("edits it in place where it says something else", async () => {
    comments = [comment(1, "looks good"), comment(5, OURS)];
    expect(await write("4 packages")).toMatchObject({ outcome: "updated" });
    expect(github.writes).toEqual(["PATCH /repos/acme/infra/issues/comments/5"]);
  });

  it("writes nothing where it says the same", async () => {
    comments = [comment(5, `${OURS.replace("\n", "\r\n")}\r\n`)];
    expect(await write()).toMatchObject({ outcome: "unchanged", address: "https://github.com/acme/infra/pull/7#5" });
    expect(github.writes).toEqual([]);
  });

  it("takes no text of others, though it has the marker", async () => {
    comments = [comment(5, OURS, "mallory")];
    expect(await write("4 packages")).toMatchObject({ outcome: "created" });
  });

  it("with a workflow's token takes that of a bot, and not that of a person", async () => {
    user = someApp;
    comments = [comment(4, OURS, "mallory"), comment(5, OURS, "github-actions[bot]", "Bot")];
    await write("4 packages");
    expect(github.writes).toEqual(["PATCH /repos/acme/infra/issues/comments/5"]);
  });

  it("cuts what GitHub would not take, and says so", async () => {
    expect(await write("line\n".repeat(20_000))).toMatchObject({ cut: true });
    const { body } = github.asked.at(-1)?.body as { body: string };
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toMatch(/characters more were cut/);
  });

  it("says which permission is missing", async () => {
    const usual = github.answer;
    github.answer = (asked) => (asked.method === "POST" ? { status: 403, body: { message: "no" } } : usual(asked));
    await expect(write()).rejects.toMatchObject({ permission: "pull-requests: write" });
  });
});
