import { beforeEach, describe, expect, it } from "vitest";
import { closeIssue, writeIssue } from "../../../../release/github/issue.ts";
import { FakeGithub, someApp } from "./fake-github.ts";

const NAME = { name: "drift", label: "kiln-drift" };
const TEXT = { title: "Drift in dev", text: "| dev |" };
const BODY = "<!-- kiln:drift -->\n| dev |";
const ISSUES = "/repos/acme/infra/issues";
const issue = (number: number, fields: object = {}) => ({
  ...{ number, title: TEXT.title, body: BODY, html_url: `https://github.com/acme/infra/issues/${number}` },
  user: { login: "github-actions[bot]", type: "Bot" },
  ...fields,
});

let github: FakeGithub;
let open: object[];
let hasLabel: boolean;

beforeEach(async () => {
  github = await FakeGithub.start();
  [open, hasLabel] = [[], true];
  github.answer = ({ method, url }) => {
    if (url === "/user") return someApp;
    if (url.startsWith(`${ISSUES}?`)) return { status: 200, body: open };
    if (method === "GET") return hasLabel ? { status: 200, body: {} } : { status: 404 };
    return { status: 201, body: issue(9) };
  };
});

describe("the one issue", () => {
  it("is looked for among the open ones of its label, and opened with it", async () => {
    expect(await writeIssue(github.connection, NAME, TEXT)).toEqual({
      outcome: "opened",
      address: "https://github.com/acme/infra/issues/9",
    });
    expect(github.asked.map(({ url }) => url)).toContain(`${ISSUES}?state=open&labels=kiln-drift&per_page=100`);
    expect(github.asked.at(-1)).toMatchObject({
      ...{ method: "POST", url: ISSUES },
      body: { title: TEXT.title, body: BODY, labels: ["kiln-drift"] },
    });
  });

  it("gets its label first where the repository has none", async () => {
    hasLabel = false;
    await writeIssue(github.connection, NAME, TEXT);
    expect(github.writes).toEqual(["POST /repos/acme/infra/labels", `POST ${ISSUES}`]);
  });

  it("is edited where its title or text differs, and left alone where neither does", async () => {
    open = [issue(3)];
    expect(await writeIssue(github.connection, NAME, TEXT)).toMatchObject({ outcome: "unchanged" });
    expect(github.writes).toEqual([]);
    expect(await writeIssue(github.connection, NAME, { ...TEXT, title: "Drift in dev, prod" })).toMatchObject({
      outcome: "updated",
    });
    expect(await writeIssue(github.connection, NAME, { ...TEXT, text: "| prod |" })).toMatchObject({
      outcome: "updated",
    });
    expect(github.writes).toEqual([`PATCH ${ISSUES}/3`, `PATCH ${ISSUES}/3`]);
  });

  it("is none of another name, of another author, and no pull request", async () => {
    open = [
      issue(1, { body: "<!-- kiln:drift-dev -->\n" }),
      issue(2, { user: { login: "mallory", type: "User" } }),
      issue(3, { pull_request: {} }),
      issue(4, { body: null }),
    ];
    expect(await writeIssue(github.connection, NAME, TEXT)).toMatchObject({ outcome: "opened" });
  });

  it("is closed with a last word, and only where one is open", async () => {
    expect(await closeIssue(github.connection, NAME, "well")).toEqual({ outcome: "none open", address: undefined });
    expect(github.writes).toEqual([]);
    open = [issue(3)];
    expect(await closeIssue(github.connection, NAME, "well")).toMatchObject({ outcome: "closed" });
    expect(github.asked.slice(-2)).toMatchObject([
      { method: "POST", url: `${ISSUES}/3/comments`, body: { body: "well" } },
      { method: "PATCH", url: `${ISSUES}/3`, body: { state: "closed", state_reason: "completed" } },
    ]);
  });
});
