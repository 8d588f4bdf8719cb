import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { askForAll, askGithub, askIfThere, type GithubRequest } from "../../../../release/github/client.ts";
import { GithubRefusal } from "../../../../release/github/refusal.ts";
import { FakeGithub, TOKEN, type Answer } from "./fake-github.ts";

const REQUEST: GithubRequest = { path: "/repos/acme/infra/issues/7", needs: "issues: write" };

/** A GitHub that gives these answers, one after the other, and the last one for ever. */
async function answering(...answers: readonly Answer[]): Promise<FakeGithub> {
  const github = await FakeGithub.start();
  github.answer = () => answers[Math.min(github.asked.length, answers.length) - 1] ?? { status: 500 };
  return github;
}

const refusalOf = async (github: FakeGithub, request: GithubRequest = REQUEST): Promise<GithubRefusal> => {
  const error = await askGithub(github.connection, request).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GithubRefusal);
  return error as GithubRefusal;
};

const busy: Answer = { status: 502 };
const fine: Answer = { status: 200, body: { number: 7 } };

describe("askGithub", () => {
  it("sends the token as a header, and gives the document", async () => {
    const github = await answering(fine);
    expect(await askGithub(github.connection, REQUEST)).toEqual({ number: 7 });
    expect(github.asked).toMatchObject([{ method: "GET", url: REQUEST.path, authorization: `Bearer ${TOKEN}` }]);
  });

  it("tries three times where the server fails, waiting longer each time", async () => {
    const github = await answering(busy, busy, fine);
    expect(await askGithub(github.connection, REQUEST)).toEqual({ number: 7 });
    expect(github.pauses).toEqual([1000, 2000]);
  });

  it("gives up after the third time, as something outside that failed", async () => {
    const github = await answering(busy);
    expect(await refusalOf(github)).toMatchObject({ kind: "unreachable", status: 502, permission: undefined });
    expect(github.asked).toHaveLength(3);
  });

  it("does not repeat a POST that failed half-way, since it may have been done", async () => {
    const github = await answering(busy);
    await refusalOf(github, { ...REQUEST, method: "POST", body: {} });
    expect(github.asked).toHaveLength(1);
  });

  it.each<[string, Answer, number]>([
    ["Retry-After", { status: 403, headers: { "retry-after": "7" } }, 7000],
    ["429 with it", { status: 429, headers: { "retry-after": "2" } }, 2000],
    [
      "a secondary limit without it",
      { status: 403, body: { message: "You have exceeded a secondary rate limit" } },
      60_000,
    ],
    ["a failing server with it", { status: 503, headers: { "retry-after": "3" } }, 3000],
  ])("waits as GitHub says after %s, for a POST too", async (_, limited, wait) => {
    const github = await answering(limited, fine);
    await askGithub(github.connection, { ...REQUEST, method: "POST", body: {} });
    expect(github.pauses).toEqual([wait]);
    expect(github.asked).toHaveLength(2);
  });

  it("does not wait an hour for a limit: it says until when it lasts", async () => {
    const reset = Math.ceil(Date.now() / 1000) + 3000;
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(reset) };
    const github = await answering({ status: 403, headers });
    const refusal = await refusalOf(github);
    expect(refusal.mend).toContain(new Date(reset * 1000).toISOString());
    expect(refusal.permission).toBeUndefined();
    expect(github.pauses).toEqual([]);
  });

  it.each<[number, string, string | undefined, RegExp]>([
    [401, "unreachable", "issues: write", /expired/],
    [403, "unreachable", "issues: write", /permissions: \{ issues: write \}/],
    [404, "unreachable", "issues: write", /may not see it: it needs issues: write/],
    [422, "failed", undefined, /Correct/],
    [301, "failed", undefined, /has moved/],
  ])("%i is %s, for want of %s", async (status, kind, permission, mend) => {
    const github = await answering({ status, body: { message: "no" }, headers: { location: "https://example.com/" } });
    const refusal = await refusalOf(github);
    expect(refusal).toMatchObject({ kind, status, permission });
    expect(refusal.mend).toMatch(mend);
    expect(github.asked).toHaveLength(1);
  });

  it("says what GitHub says of single fields, without the token and without the query", async () => {
    const errors = [{ message: `head is ${TOKEN}` }, { field: "base", code: "invalid" }];
    const github = await answering({ status: 422, body: { message: "Validation Failed", errors } });
    const { message } = await refusalOf(github, { ...REQUEST, path: "/a?b=c" });
    expect(message).toMatch(
      /^GET \/a of 127\.0\.0\.1:\d+: GitHub answered 422: Validation Failed; head is \*\*\*; base invalid$/,
    );
  });

  it("says that nobody answers, without the token", async () => {
    const github = await answering(fine);
    const connection = { ...github.connection, api: "http://127.0.0.1:1" };
    const error = await askGithub(connection, REQUEST).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KilnError);
    expect(error).toMatchObject({ kind: "unreachable" });
    expect(String(error)).not.toContain(TOKEN);
  });
});

describe("askIfThere", () => {
  it("gives nothing for what is not there, and throws everything else", async () => {
    expect(await askIfThere((await answering({ status: 404 })).connection, REQUEST)).toBeUndefined();
    await expect(askIfThere((await answering({ status: 403 })).connection, REQUEST)).rejects.toThrow(/403/);
  });
});

describe("askForAll", () => {
  it("follows the pages to the last", async () => {
    const github = await FakeGithub.start();
    github.answer = ({ url }) => {
      const page = Number(/[?&]page=(\d+)/.exec(url)?.[1] ?? 1);
      const next = `<${github.address}/list?state=open&per_page=100&page=${page + 1}>; rel="next"`;
      const link = page < 3 ? { link: `<${github.address}/list?page=1>; rel="prev", ${next}` } : {};
      return { status: 200, body: [page * 10, page * 10 + 1], headers: link };
    };
    const all = await askForAll(github.connection, { path: "/list?state=open", needs: "issues: read" });
    expect(all).toEqual([10, 11, 20, 21, 30, 31]);
    expect(github.asked[0]?.url).toBe("/list?state=open&per_page=100");
  });

  it("ends where the pages go round in a circle", async () => {
    const github = await FakeGithub.start();
    const link = `<${github.address}/list?page=2>; rel="next"`;
    github.answer = () => ({ status: 200, body: [1], headers: { link } });
    expect(await askForAll(github.connection, { path: "/list", needs: "issues: read" })).toEqual([1, 1]);
  });

  it("sends no token to another host, whatever a page says", async () => {
    const other = await FakeGithub.start();
    const github = await FakeGithub.start();
    github.answer = () => ({ status: 200, body: [1], headers: { link: `<${other.address}/list>; rel="next"` } });
    expect(await askForAll(github.connection, { path: "/list", needs: "issues: read" })).toEqual([1]);
    expect(other.asked).toEqual([]);
  });
});
