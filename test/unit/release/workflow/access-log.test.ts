import { expect, it } from "vitest";
import { agentOf, bytesByJob, parseAccessLog } from "../../../../release/workflow/access-log.ts";

const line = (second: number, request: string, status: number, bytes: number, agent = "regclient/regctl") =>
  `127.0.0.1 - - [22/Nov/2026:05:00:${String(second).padStart(2, "0")} +0000] "${request} HTTP/1.1" ${status} ${bytes} "" "${agent}"`;
const BASE = Date.UTC(2026, 10, 22, 5, 0, 0);
const digest = `sha256:${"a".repeat(64)}`;
const put = `PUT /v2/kiln/warm/blobs/uploads/1-2?_state=x&digest=${encodeURIComponent(digest)}`;

it("reads Apache's combined format and passes over other lines", () => {
  const text = ['time="2026" level=warning msg="x"', line(1, "GET /v2/", 200, 2), "", line(2, put, 201, 0)].join("\n");
  expect(parseAccessLog(text)).toEqual([
    { at: BASE + 1000, method: "GET", target: "/v2/", status: 200, bytes: 2, agent: "regclient/regctl" },
    { at: BASE + 2000, method: "PUT", target: put.slice(4), status: 201, bytes: 0, agent: "regclient/regctl" },
  ]);
});

it("counts by the job that the client names, else by the only one that ran", () => {
  const windows = [
    { key: "plan", startedAt: BASE, endedAt: BASE + 4_000 },
    { key: "warm (aws)", startedAt: BASE + 10_000, endedAt: BASE + 20_000 },
    { key: "warm (gcp)", startedAt: BASE + 12_000, endedAt: BASE + 20_000 },
  ];
  const log = [
    line(1, "GET /v2/a/manifests/x", 200, 100),
    line(1, "HEAD /v2/a/blobs/x", 200, 999),
    line(11, put, 201, 0),
    line(15, put, 201, 0, `regctl ${agentOf("warm (gcp)")}`),
    line(16, "GET /v2/a/blobs/x", 200, 7),
    line(17, put, 404, 0),
    line(17, `POST /v2/a/blobs/uploads/?mount=${digest}&from=b`, 201, 0),
    line(40, "GET /v2/a/blobs/x", 200, 5000),
  ].join("\n");
  const { jobs, shared } = bytesByJob(parseAccessLog(log), windows, (found) => (found === digest ? 50 : 0));
  expect(Object.fromEntries(jobs)).toEqual({
    plan: { read: 100, written: 0 },
    "warm (aws)": { read: 0, written: 50 },
    "warm (gcp)": { read: 0, written: 50 },
  });
  expect(shared).toEqual({ read: 7, written: 0 });
});
