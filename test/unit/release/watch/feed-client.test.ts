import { describe, expect, it } from "vitest";
import { FeedClient, type FeedClientOptions } from "../../../../release/watch/feed-client.ts";
import { folderMemory, shortMemory } from "../../../../release/watch/feed-memory.ts";
import { object } from "../../../../release/watch/sources/document.ts";
import { FakeGithub } from "../github/fake-github.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

/** A client of a server whose first answers are these; the last one is given for ever. */
async function clientOf(answers: FakeGithub["answer"][], more: Partial<FeedClientOptions> = {}) {
  const server = await FakeGithub.start();
  server.answer = (asked) => (answers.length > 1 ? answers.shift() : answers[0])?.(asked) ?? { status: 500 };
  const pauses: number[] = [];
  const pause = (milliseconds: number) => {
    pauses.push(milliseconds);
    return Promise.resolve();
  };
  const client = new FeedClient({ memory: shortMemory(), pause, ...more });
  const read = (path = "/a") =>
    client.read({ address: `${server.address}${path}`, digest: (text) => JSON.parse(text) as unknown });
  return { server, pauses, read };
}

const ok = (body: unknown, headers = {}) => ({ status: 200, body, headers });

describe("reading from a source", () => {
  it("sends what it has by its ETag, in later runs too, and takes 304 for it", async () => {
    const memory = folderMemory(await temporaryDirectory());
    const answers: FakeGithub["answer"][] = [() => ok([1], { etag: '"x"' }), () => ({ status: 304 })];
    const { server, read } = await clientOf(answers, { memory });
    expect(await read()).toEqual([1]);
    const other = new FeedClient({ memory });
    const again = await other.read({ address: `${server.address}/a`, digest: () => "not asked" });
    expect(again).toEqual([1]);
    expect(server.asked).toHaveLength(2);
  });

  it.each<[string, FakeGithub["answer"], number]>([
    ["Retry-After", () => ({ status: 429, headers: { "retry-after": "7" } }), 7000],
    ["a server that fails", () => ({ status: 502 }), 1000],
    ["a limit of bursts", () => ({ status: 403, headers: { "retry-after": "3" } }), 3000],
  ])("waits for %s, and tries again", async (_, answer, pause) => {
    const { pauses, read } = await clientOf([answer, () => ok([1])]);
    expect(await read()).toEqual([1]);
    expect(pauses).toEqual([pause]);
  });

  it("does not wait for a limit that takes long, and says how long", async () => {
    const reset = String(Math.floor(Date.now() / 1000) + 3000);
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
    const { pauses, read, server } = await clientOf([() => ({ status: 403, headers })]);
    await expect(read()).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(/answered 403; it asks for (2999|300\d) s of patience/) as string,
    });
    expect([pauses, server.asked.length]).toEqual([[], 1]);
  });

  it("gives up after three tries", async () => {
    const { pauses, read } = await clientOf([() => ({ status: 503 })]);
    await expect(read()).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("answered 503") as string,
    });
    expect(pauses).toEqual([1000, 2000]);
  });

  it("ends within its time, waits for limits included", async () => {
    const slow = await clientOf([() => ({ status: 429, headers: { "retry-after": "7" } })], {
      ends: Date.now() + 5000,
    });
    await expect(slow.read()).rejects.toThrow(/answered 429/);
    expect([slow.pauses, slow.server.asked.length]).toEqual([[], 1]);
    const over = await clientOf([() => ok([1])], { ends: Date.now() });
    await expect(over.read()).rejects.toThrow(/took too long/);
    expect(over.server.asked).toEqual([]);
  });

  it.each([404, 410])("has nothing where there is nothing: %i", async (status) => {
    expect(await (await clientOf([() => ({ status })])).read()).toBeUndefined();
  });

  it("says so of an answer that is no document, and keeps none", async () => {
    const { read } = await clientOf([() => ({ status: 200, headers: { etag: '"y"' } })]);
    await expect(read()).rejects.toThrow(/is not what a source of releases gives/);
    await expect(read()).rejects.toThrow(/is not what a source of releases gives/);
  });

  it("quotes nothing of it, as the log of a workflow obeys what begins a line there", async () => {
    const { server } = await clientOf([() => ok([1])]);
    const client = new FeedClient({ memory: shortMemory() });
    const read = (digest: () => unknown) => client.read({ address: `${server.address}/a`, digest });
    await expect(read(() => JSON.parse('"\n::add-mask::a"') as unknown)).rejects.toMatchObject({
      message: `${server.address}/a is not what a source of releases gives: it is no JSON`,
    });
    await expect(read(() => object([]))).rejects.toThrow(/gives: it has no map where one belongs$/);
  });

  it("follows no redirect", async () => {
    const { read } = await clientOf([() => ({ status: 302, headers: { location: "http://127.0.0.1:1/" } })]);
    await expect(read()).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("sends a token to its own API and to nobody else", async () => {
    const { server, read } = await clientOf([() => ok([1])]);
    const login = { api: `${server.address}/api`, token: "secret-token" };
    const client = new FeedClient({ memory: shortMemory(), login });
    for (const path of ["/api/repos", "/apis"]) {
      await client.read({ address: `${server.address}${path}`, digest: () => 1 });
    }
    await read();
    expect(server.asked.map(({ authorization }) => authorization)).toEqual(["Bearer secret-token", "", ""]);
  });
});
