import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { connectClusterJobs, type ClusterJobs } from "../../../../execution/job/cluster-jobs.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
  vi.unstubAllEnvs();
});

/** The jobs of an API server that answers so. */
async function clusterOf(answer: RequestListener): Promise<ClusterJobs> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  closing.push(() => {
    server.close().closeAllConnections();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const config = {
    ...{ apiVersion: "v1", kind: "Config", "current-context": "test" },
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "test", user: {} }],
  };
  const file = path.join(await temporaryDirectory(), "config");
  await writeFile(file, JSON.stringify(config));
  vi.stubEnv("KUBECONFIG", file);
  return connectClusterJobs();
}

it("a log whose connection breaks is one that was not read", async () => {
  const cluster = await clusterOf((_request, response) => {
    response.write("one\n");
    setTimeout(() => response.destroy(), 50);
  });
  const lines: string[] = [];
  const following = cluster.follow("pod", "jobs", (line) => void lines.push(line), new AbortController().signal);
  await expect(following).rejects.toMatchObject({
    kind: "unreachable",
    message: expect.stringContaining("broke off") as string,
  });
  expect(lines).toEqual(["one"]);
});

it.each(["before", "while"])("a log given up %s it is read just ends", async (when) => {
  const stop = new AbortController();
  const cluster = await clusterOf((_request, response) => {
    response.write("one\n");
  });
  const lines: string[] = [];
  if (when === "before") stop.abort();
  const onLine = (line: string) => {
    lines.push(line);
    if (when === "while") stop.abort();
  };
  await cluster.follow("pod", "jobs", onLine, stop.signal);
  // An error that nobody hears comes after that, and would end the process.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(lines).toEqual(when === "before" ? [] : ["one"]);
});

it.each([
  [503, "does not answer"],
  [429, "does not answer"],
  [403, "refuses to read"],
])("an answer of %i is told: the cluster %s", async (status, said) => {
  const cluster = await clusterOf((_request, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end('{"message":"its own words"}');
  });
  await expect(cluster.pod("job", "jobs")).rejects.toThrow(said);
  await expect(cluster.pod("job", "jobs")).rejects.toThrow("its own words");
});

it("asks for what belongs to one Job, not to an earlier one of its name", async () => {
  const asked: string[] = [];
  const cluster = await clusterOf((request, response) => {
    asked.push(decodeURIComponent(request.url ?? ""));
    response.writeHead(200, { "content-type": "application/json" }).end('{"items":[]}');
  });
  expect(await cluster.pod("uid-1", "jobs")).toBeUndefined();
  expect(await cluster.events("uid-1", "jobs")).toEqual([]);
  expect(await cluster.jobs({ a: "b", c: "d" }, "jobs")).toEqual([]);
  expect(asked).toEqual([
    "/api/v1/namespaces/jobs/pods?labelSelector=batch.kubernetes.io/controller-uid=uid-1",
    "/api/v1/namespaces/jobs/events?fieldSelector=involvedObject.uid=uid-1",
    "/apis/batch/v1/namespaces/jobs/jobs?labelSelector=a=b,c=d",
  ]);
});

it("ends a Job so that it goes by itself", async () => {
  let body = "";
  const cluster = await clusterOf((request, response) => {
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
  });
  await cluster.end("job-1", "jobs");
  // A suspended one has no deadline, and never counts as finished.
  expect(JSON.parse(body)).toEqual([{ op: "add", path: "/spec/activeDeadlineSeconds", value: 1 }]);
});
