import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { json } from "node:stream/consumers";
import { readHistory } from "../../../execution/job/history.ts";
import { fileOf, jobEngine, jobImage, JobRuns, printed } from "../../support/job-runs.ts";
import { isExtended } from "../../support/extended.ts";

let runs: JobRuns;

beforeAll(async () => {
  const engine = await jobEngine();
  runs = new JobRuns(engine, await jobImage(engine), await mkdtemp(path.join(tmpdir(), "kiln-test-jobs-")));
});

afterAll(() => rm(runs.folder, { recursive: true, force: true }));

const ARTIFACT = `
import os, sys, time
def leave(text):
    with open(os.path.join(os.environ["ARTIFACTS_DIR"], "left.txt"), "w") as file: file.write(text)
`;

const ECHO = `
import json, os, sys
json.dump({"argv": sys.argv[1:], "file": json.load(open(os.environ["KILN_PARAMETERS_FILE"]))},
    open(os.path.join(os.environ["ARTIFACTS_DIR"], "parameters.json"), "w"))
`;

const PARAMETERS = {
  text: "plain",
  whole: 42,
  fraction: 0.125,
  yes: true,
  no: false,
  list: [1, "two", { three: 3 }],
  object: { nested: { empty: {} } },
  hostile: "; rm -rf / #",
  substitution: "$(touch /tmp/owned) \`id\` %PATH%",
  lines: "first\nsecond\r\n",
  dashes: "--option=-x",
  quotes: "'\"\\",
  unicode: "äöü € 🎉",
};

/** Everything that ends in another way, at the same time: a test's time is mostly waiting. */
describe("a job", () => {
  it("is the example that every image has to run before it is released", async () => {
    const example = path.join(import.meta.dirname, "../../../examples/jobs/greeting.py");
    const ended = await runs.python(await readFile(example, "utf8"), { fields: { parameters: { name: "you" } } });
    expect(ended.result.artifacts.map(({ name }) => name)).toEqual(["greeting.txt"]);
    expect(await fileOf(ended, "stdout.log")).toBe("Hello, you.\n");
  });

  it("succeeds, with its artifacts, logs and result in a folder that a person can read", async () => {
    const secret = "correct horse battery";
    const script = `${ARTIFACT}
leave("whole")
print("to standard output", os.environ["PASSWORD"])
print("to standard error", file=sys.stderr)`;
    const ended = await runs.python(script, {
      fields: { secrets: [{ name: "PASSWORD", as: "environment" }] },
      secrets: { PASSWORD: Buffer.from(secret) },
    });
    expect(ended.result).toMatchObject({
      status: "succeeded",
      exit_code: 0,
      artifacts: [{ name: "left.txt", bytes: 5 }],
    });
    expect(await fileOf(ended, "artifacts/left.txt")).toBe("whole");
    expect(await fileOf(ended, "stdout.log")).toBe("to standard output [secret]\n");
    expect(await fileOf(ended, "stderr.log")).toBe("to standard error\n");
    expect((await readdir(ended.folder)).sort()).toEqual([
      ...["artifacts", "events.ndjson", "job.json", "result.json", "stderr.log", "stdout.log"],
    ]);
    for (const name of ["job.json", "result.json", "events.ndjson"])
      expect(await fileOf(ended, name)).not.toContain(secret);
    const recorded = (await readHistory(runs.history)).find(({ folder }) => folder === ended.folder);
    expect(recorded).toMatchObject({ status: "succeeded", description: ended.description });
    expect(ended.sandbox).toMatchObject({ user: "65532:65532", readOnlyRoot: true, capabilities: "none", pids: 64 });
  });

  it("has its result posted by the container, where a person said so", async () => {
    const reached = await runs.hostAddress();
    onTestFinished(async () => {
      await reached.remove();
    });
    const host = reached.address;
    const posted: unknown[] = [];
    const server = createServer((request, response) => {
      void json(request).then((body) => {
        posted.push([request.method, request.headers["idempotency-key"], body]);
        response.end();
      });
    });
    server.listen(0, host);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const ended = await runs.python(`import os; print("RESULT_URL" in os.environ)`, {
      fields: { job_id: "posted", result_url: `http://${host}:${port}/results` },
    });
    expect(ended.result).toMatchObject({ status: "succeeded", posted: { delivered: true, attempts: 1, status: 200 } });
    expect(posted).toMatchObject([["POST", "posted-1", { job_id: "posted", status: "succeeded", exit_code: 0 }]]);
    expect(await fileOf(ended, "stdout.log")).toBe("False\n");
  });

  it("gets parameters of every type, hostile ones too, as they are", async () => {
    const large = "x".repeat(200 * 1024);
    const [small, big] = await Promise.all([
      runs.python(ECHO, { fields: { parameters: PARAMETERS } }),
      runs.python(ECHO, { fields: { parameters: { ...PARAMETERS, large } } }),
    ]);
    const said = JSON.parse(await fileOf(small, "artifacts/parameters.json")) as { argv: string[]; file: unknown };
    expect(said.file).toEqual(PARAMETERS);
    for (const name of ["text", "hostile", "substitution", "lines", "dashes", "quotes", "unicode"] as const) {
      expect(said.argv).toContain(`--${name}=${PARAMETERS[name]}`);
    }
    expect(said.argv).toEqual(expect.arrayContaining(["--whole=42", "--fraction=0.125", "--yes=true", "--no=false"]));
    const other = JSON.parse(await fileOf(big, "artifacts/parameters.json")) as { file: unknown };
    expect(other.file).toEqual({ ...PARAMETERS, large });
  });

  it("brings its artifacts whatever its end: failure, timeout, silence, cancellation, too much memory", async () => {
    const canceled = printed("waiting");
    const cancel = new AbortController();
    void canceled.said.then(() => {
      cancel.abort();
    });
    const timeouts = { job: 120, grace: 1, finish: 5 };
    const [failed, late, quiet, stopped, greedy] = await Promise.all([
      runs.python(`${ARTIFACT}leave("failed")\nsys.exit(7)`),
      runs.python(`${ARTIFACT}leave("late")\nwhile True: print("at it", flush=True); time.sleep(0.1)`, {
        fields: { timeouts: { ...timeouts, script: 1.5 } },
      }),
      runs.python(`${ARTIFACT}leave("quiet")\ntime.sleep(300)`, { fields: { timeouts: { ...timeouts, idle: 1.5 } } }),
      runs.python(`${ARTIFACT}leave("stopped")\nprint("waiting", flush=True)\ntime.sleep(300)`, {
        ...{ signal: cancel.signal, onEvent: canceled.onEvent },
      }),
      runs.python(`${ARTIFACT}leave("greedy")\nkept = [bytearray(16 << 20) for _ in range(64)]`, {
        fields: { limits: { memory: "128m", disk: "32m" } },
      }),
    ]);
    expect(failed.result).toMatchObject({ status: "failed", exit_code: 7, error_detail: { code: "script_failed" } });
    expect(late.result).toMatchObject({ status: "timed_out", error_detail: { code: "script_timeout" } });
    expect(quiet.result).toMatchObject({ status: "timed_out", error_detail: { code: "idle_timeout" } });
    expect(stopped.result).toMatchObject({ status: "canceled", error_detail: { code: "canceled" } });
    expect(greedy.result).toMatchObject({ status: "failed" });
    expect(JSON.stringify(greedy.result)).toMatch(/oom_killed|memory limit/);
    const left = await Promise.all(
      [failed, late, quiet, stopped, greedy].map((one) => fileOf(one, "artifacts/left.txt")),
    );
    expect(left).toEqual(["failed", "late", "quiet", "stopped", "greedy"]);
    expect(await runs.leftovers()).toEqual([]);
  });

  it("keeps head and end of a huge output, and the bytes that are no text", async () => {
    const megabytes = isExtended ? 256 : 24;
    const ended = await runs.python(
      `import sys
sys.stdout.buffer.write(b"first\\0\\xff\\n")
for _ in range(${megabytes}): sys.stdout.buffer.write(b"y" * (1 << 20) + b"\\n")
print("last")`,
      { fields: { limits: { memory: "256m", disk: "64m", cpus: 2 } } },
    );
    expect(ended.result).toMatchObject({ status: "succeeded", output: { stdout: { truncated: true } } });
    const log = await fileOf(ended, "stdout.log");
    expect(log.length).toBeLessThan(18 << 20);
    expect(log.startsWith("first\0\uFFFD\n")).toBe(true);
    expect(log.trimEnd().endsWith("last")).toBe(true);
  });
});

it.each(isExtended ? [50] : [8])(
  "%i jobs at once are neither lost nor mixed, and nothing of them stays",
  async (count) => {
    const numbers = Array.from({ length: count }, (_, number) => number);
    const script = `${ARTIFACT}number = sys.argv[1].split("=")[1]\nleave(number)\nprint("this is", number)`;
    const ended = await Promise.all(
      numbers.map((number) => runs.python(script, { fields: { job_id: `many-${number}`, parameters: { number } } })),
    );
    for (const [number, one] of ended.entries()) {
      expect(one.result).toMatchObject({ job_id: `many-${number}`, status: "succeeded" });
      expect(await fileOf(one, "stdout.log")).toBe(`this is ${number}\n`);
      expect(await fileOf(one, "artifacts/left.txt")).toBe(String(number));
    }
    expect(new Set(ended.map(({ folder }) => folder)).size).toBe(count);
    expect(await runs.leftovers()).toEqual([]);
  },
);
