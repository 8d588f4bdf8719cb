import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { pushMetrics } from "../../../cache/push-metrics.ts";
import { exposition } from "../../../cache/warm-metrics.ts";
import { silent } from "../../../progress.ts";
import { networkEnvironment } from "../../../toolchain/network.mjs";
import { runNode, startProxy } from "../../support/loopback-network.ts";

const MEASURE = { shard: "aws", scaleSet: "bake-lane-0", hits: 120, misses: 3, seconds: 12.5, ended: 1790000000 };
const GROUP = "/metrics/job/kiln-cache-warm/scale_set/bake-lane-0/shard/aws";

async function gateway(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A gateway that takes what it gets, and what it got. */
async function willingGateway() {
  const got: { request: Pick<IncomingMessage, "method" | "url" | "headers">; body: string }[] = [];
  const port = await gateway((request, response) => {
    void text(request).then((body) => {
      got.push({ request, body });
      response.end();
    });
  });
  return { port, got };
}

async function notesOf(port: number, answerMs?: number): Promise<readonly string[]> {
  const note = vi.fn<(said: string) => void>();
  await pushMetrics(`http://127.0.0.1:${port}`, MEASURE, { ...silent, note }, answerMs);
  return note.mock.calls.flat();
}

test("a gateway gets the metrics in place of the group's last ones, and nothing is said", async () => {
  const { port, got } = await willingGateway();
  expect(await notesOf(port)).toEqual([]);
  expect(got).toMatchObject([{ request: { method: "PUT", url: GROUP }, body: exposition(MEASURE) }]);
  expect(got[0]?.request.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
});

test("a gateway that refuses them is a note with its reason", async () => {
  const port = await gateway((_, response) => response.writeHead(400).end("inconsistent help string\nmore\n"));
  expect(await notesOf(port)).toEqual([
    `metrics were not pushed to http://127.0.0.1:${port}: it answered 400 inconsistent help string`,
  ]);
});

test("one that does not answer, or not to the end, is a note after the time that it has", async () => {
  const unsaid = await gateway(() => undefined);
  expect(await notesOf(unsaid, 100)).toEqual([
    `metrics were not pushed to http://127.0.0.1:${unsaid}: no answer within 0.1 s`,
  ]);
  const half = await gateway((_, response) => response.writeHead(200).write("so"));
  expect(await notesOf(half, 100)).toEqual([
    `metrics were not pushed to http://127.0.0.1:${half}: no answer within 0.1 s`,
  ]);
});

test("one that is not there is a note", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  expect(await notesOf(port)).toEqual([expect.stringContaining("ECONNREFUSED")]);
});

test("a gateway outside is reached through the proxy of the environment", async () => {
  const { port, got } = await willingGateway();
  const proxy = await startProxy({ to: port });
  const module = (file: string) => JSON.stringify(path.join(import.meta.dirname, "../../..", file));
  const script = `
    const { pushMetrics } = await import(${module("cache/push-metrics.ts")});
    const said = { step() {}, update() {}, note: console.log };
    await pushMetrics("http://gateway.kiln.invalid", ${JSON.stringify(MEASURE)}, said);`;
  const bare = { PATH: process.env.PATH ?? "", http_proxy: `http://${proxy.address}` };
  const env = { ...bare, ...networkEnvironment(bare) };
  expect(await runNode(["--input-type=module", "-e", script], env)).toMatchObject({ stdout: "" });
  expect(got.map(({ body }) => body)).toEqual([exposition(MEASURE)]);
  expect(proxy.asked[0]).toContain("gateway.kiln.invalid");
});
