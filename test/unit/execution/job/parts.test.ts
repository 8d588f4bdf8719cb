import { readdirSync, readlinkSync } from "node:fs";
import { mkdir, open, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { finalResult, type JobEnd } from "../../../../execution/job/final-result.ts";
import { Gate } from "../../../../execution/job/gate.ts";
import { JobHistory, findJob, findLost, pruneHistory, readHistory } from "../../../../execution/job/history.ts";
import { readInput, writeInputFolder } from "../../../../execution/job/input-folder.ts";
import { isOutputFile, JobOutput } from "../../../../execution/job/job-output.ts";
import { isGone, ownerMark } from "../../../../execution/job/orphans.ts";
import { pinInput } from "../../../../execution/job/pinned-description.ts";
import { pinSource } from "../../../../execution/job/pinned-source.ts";
import { parseResult, type JobResult } from "../../../../execution/job/result.ts";
import { secretDocument } from "../../../../execution/job/secret-document.ts";
import { Redactor } from "../../../../execution/redactor.ts";
import { thisOwner } from "../../../../toolchain/lock.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { aJob } from "./job-values.ts";

const ENDED: JobEnd = {
  facts: { exitCode: 137, outOfMemory: false, error: "", startedAt: "", finishedAt: "" },
  cause: undefined,
};

const written = (fields: Partial<JobResult>): JobResult =>
  parseResult(JSON.stringify({ job_id: "job-1", status: "running", phase: "running", exit_code: null, ...fields }));

describe("the result of a job", () => {
  it.each([
    [{ cause: "canceled" }, "canceled", "canceled"],
    [{ cause: "deadline" }, "timed_out", "job_timeout"],
    [{ facts: { ...ENDED.facts, outOfMemory: true } }, "failed", "oom_killed"],
    [{ facts: { ...ENDED.facts, error: "no such program" } }, "failed", "internal"],
    [{}, "failed", "internal"],
  ] as const)("of a container that was killed is told from its end: %j", (end, status, code) => {
    for (const seen of [undefined, written({})]) {
      const result = finalResult(aJob(), seen, { ...ENDED, ...end });
      expect(result).toMatchObject({ job_id: "job-1", status, error_detail: { code } });
      expect(result.finished_at).not.toBeNull();
    }
  });

  it("counts as the entrypoint wrote it, but that a time was over is known outside", () => {
    const done = written({ status: "failed", exit_code: 3 });
    expect(finalResult(aJob(), done, ENDED)).toEqual(done);
    const oom = finalResult(aJob(), done, { ...ENDED, facts: { ...ENDED.facts, outOfMemory: true } });
    expect(oom.notes?.join()).toContain("memory limit of 1g");
    const canceled = written({ status: "canceled" });
    expect(finalResult(aJob(), canceled, { ...ENDED, cause: "deadline" }).status).toBe("timed_out");
  });

  it("counts only where it is of this job: what names none came from its container", () => {
    const other = written({ job_id: "job-2", status: "succeeded", exit_code: 0, artifacts: [] });
    const facts = { ...ENDED.facts, exitCode: 0 };
    expect(finalResult(aJob(), other, { ...ENDED, facts })).toMatchObject({
      ...{ job_id: "job-1", status: "failed", exit_code: null },
      error: expect.stringContaining("the result that came is of the job job-2") as string,
    });
    const running = written({ job_id: "job-2", status: "running", phase: "vault" });
    expect(finalResult(aJob(), running, { ...ENDED, cause: "canceled" })).toMatchObject({
      ...{ job_id: "job-1", status: "canceled", phase: "starting" },
    });
    const nameless = written({ job_id: "", status: "succeeded", exit_code: 0 });
    expect(finalResult(aJob(), nameless, ENDED)).toEqual({ ...nameless, job_id: "job-1" });
  });

  it("is read as far as it goes", () => {
    const result = parseResult(
      '{"status":"succeeded","exit_code":"none","artifacts":[{"name":"a"},{"name":"b","bytes":1,"sha256":"x"}],"more":1}',
    );
    expect(result).toMatchObject({ status: "succeeded", exit_code: null, artifacts: [{ name: "b" }], more: 1 });
    expect(result.notes?.length).toBe(2);
  });
});

describe("what a container prints", () => {
  it("becomes events, logs and files, without secrets", async () => {
    const folder = await temporaryDirectory();
    const seen: unknown[] = [];
    const output = new JobOutput({
      folder,
      redactor: new Redactor(["hunter2-secret"]),
      mostBytes: 100,
      onEvent: (event) => seen.push(event),
    });
    const line = (event: object) => {
      output.line(JSON.stringify({ at: "now", ...event }));
    };
    line({ kind: "output", stream: "stdout", text: "it is hunter2-secret" });
    output.line("no event");
    line({ kind: "file", path: "artifacts/deep/er.bin", offset: 0, base64: Buffer.from([0, 255]).toString("base64") });
    line({ kind: "file", path: "artifacts/deep/er.bin", offset: 2, base64: Buffer.from([7]).toString("base64") });
    line({ kind: "file", path: "stdout.log", offset: 0, base64: Buffer.from("whole\n").toString("base64") });
    expect(await readFile(path.join(folder, "stdout.log"), "utf8")).toBe("it is [secret]\nno event\n");
    line({ kind: "result", result: { status: "succeeded", error: "hunter2-secret" } });
    expect(await output.close()).toBe(true);
    expect(output.result).toMatchObject({ status: "succeeded", error: "[secret]" });
    expect(await readFile(path.join(folder, "stdout.log"), "utf8")).toBe("whole\n");
    expect([...(await readFile(path.join(folder, "artifacts/deep/er.bin")))]).toEqual([0, 255, 7]);
    expect(await readFile(path.join(folder, "events.ndjson"), "utf8")).not.toContain("hunter2");
    expect(JSON.stringify(seen)).not.toContain("hunter2");
  });

  it("is not whole without a result, nor where it has more bytes or other names than it may", async () => {
    const started = async () => {
      const folder = await temporaryDirectory();
      return new JobOutput({ folder, redactor: new Redactor([]), mostBytes: 10, onEvent: () => undefined });
    };
    const cut = await started();
    expect(await cut.close()).toBe(false);
    for (const file of [
      { path: "stdout.log", base64: "A".repeat(40) },
      { path: "artifacts/../../x", base64: "" },
    ]) {
      const output = await started();
      output.line(JSON.stringify({ at: "now", kind: "file", ...file }));
      output.line(JSON.stringify({ at: "now", kind: "result", result: {} }));
      expect(await output.close()).toBe(false);
      expect(output.fault).toBeDefined();
    }
  });

  it("leaves nothing open nor half there, whenever it is closed, and counts nothing after that", async () => {
    const folder = await temporaryDirectory();
    const output = new JobOutput({ folder, redactor: new Redactor([]), mostBytes: 100, onEvent: () => undefined });
    const piece = JSON.stringify({ at: "now", kind: "file", path: "artifacts/a", offset: 0, base64: "AAAA" });
    output.line(piece);
    const isOpen = () =>
      readdirSync("/proc/self/fd").some((name) => {
        try {
          return readlinkSync(`/proc/self/fd/${name}`).startsWith(folder);
        } catch {
          return false;
        }
      });
    expect(isOpen()).toBe(true);
    expect(await Promise.all([output.close(), output.close()])).toEqual([false, false]);
    expect(isOpen()).toBe(false);
    output.line(piece);
    output.errorLine("too late");
    expect(await readdir(folder)).toEqual(["events.ndjson"]);
    expect(output.fault).toBeUndefined();
  });

  it("is not whole where a piece of a file did not come, as of a log that a node rotated", async () => {
    const piece = { kind: "file", path: "artifacts/a", base64: Buffer.from("ab").toString("base64") };
    const named = { kind: "result", result: { artifacts: [{ name: "a", bytes: 4, sha256: "x" }] } };
    for (const [lines, fault] of [
      [[{ ...piece, offset: 2 }, named], "a piece of artifacts/a did not come"],
      [[{ ...piece, offset: 0 }, named], "the artifact a did not come whole"],
      [[{ ...piece, offset: 0 }, { ...piece, offset: 2 }, named], undefined],
    ] as const) {
      const folder = await temporaryDirectory();
      const output = new JobOutput({ folder, redactor: new Redactor([]), mostBytes: 10, onEvent: () => undefined });
      for (const line of lines) output.line(JSON.stringify({ at: "now", ...line }));
      expect(await output.close()).toBe(fault === undefined);
      if (fault !== undefined) expect(output.fault).toContain(fault);
    }
  });

  it("does not fill this disk", async () => {
    const folder = await temporaryDirectory();
    const limits = { mostBytes: 10, mostEventBytes: 1000 };
    const output = new JobOutput({ folder, redactor: new Redactor([]), ...limits, onEvent: () => undefined });
    for (let line = 0; line < 100; line++) output.line("what an image of another kind prints");
    await output.close();
    expect((await stat(path.join(folder, "events.ndjson"))).size).toBeLessThanOrEqual(1000);
    expect((await stat(path.join(folder, "stdout.log"))).size).toBeLessThan(1000);
    expect(output.fault).toContain("more than 1000 bytes");
  });

  it.each([
    "../x",
    "artifacts",
    "artifacts/..",
    "artifacts//x",
    "artifacts/a/../b",
    "/artifacts/x",
    "job.json",
    "artifacts/a\0",
  ])("cannot be a file called %j", (name) => {
    expect(isOutputFile(name)).toBe(false);
  });
});

describe("the history", () => {
  it("gives each job a folder, finds the last of an id, and keeps the newest", async () => {
    const root = await temporaryDirectory();
    const histories = await Promise.all([1, 2, 3].map(() => JobHistory.begin(root, aJob(), "container")));
    expect(new Set(histories.map(({ folder }) => folder)).size).toBe(3);
    expect((await readHistory(root)).map(({ status }) => status)).toEqual(["running", "running", "running"]);
    for (const history of histories.slice(0, 2)) await history.end(written({ status: "succeeded" }));
    expect((await pruneHistory(root, 1)).length).toBe(1);
    expect((await readHistory(root)).length).toBe(2);
    expect((await findJob(root, "job-1")).description).toEqual(aJob());
    await expect(findJob(root, "other")).rejects.toThrow("there is no job other");
    expect((await stat(root)).mode & 0o077 || 0).toBeLessThan(0o077);
  });

  it("finds the job that nobody looks after by its container", async () => {
    const root = await temporaryDirectory();
    const [ours, lived] = [await JobHistory.begin(root, aJob(), "lost"), await JobHistory.begin(root, aJob(), "lives")];
    const owner = { ...thisOwner(), started: "1", container: "lost" };
    await writeFile(path.join(ours.folder, "owner.json"), JSON.stringify(owner));
    expect((await findLost(root, "lost"))?.folder).toBe(ours.folder);
    expect(await findLost(root, "lives")).toBeUndefined();
    await lived.end(written({ status: "succeeded" }));
    expect(await findLost(path.join(root, "none"), "lost")).toBeUndefined();
  });

  it("takes a process for gone only where it is certain", () => {
    expect(isGone(ownerMark())).toBe(false);
    expect(isGone(ownerMark({ ...thisOwner(), started: "1" }))).toBe(true);
    expect(isGone(ownerMark({ ...thisOwner(), host: "elsewhere", started: "1" }))).toBe(false);
    expect(isGone("no mark")).toBe(false);
  });
});

describe("the input", () => {
  it("is read for everybody, and pinned by what is in it", async () => {
    const folder = await temporaryDirectory();
    await mkdir(path.join(folder, "ops"));
    await writeFile(path.join(folder, "ops/a.py"), "print(1)", { mode: 0o600 });
    const source = { kind: "directory", path: folder };
    const job = aJob({ source, script: "ops/a", parameters: { large: "x".repeat(200_000) } });
    const input = await readInput(job);
    const pinned = pinInput(job, input);
    const written = await writeInputFolder(input, await temporaryDirectory());
    expect((await stat(path.join(written, "scripts/ops"))).mode & 0o777).toBe(0o755);
    expect((await stat(path.join(written, "scripts/ops/a.py"))).mode & 0o777).toBe(0o444);
    expect(JSON.parse(await readFile(path.join(written, "parameters/parameters.json"), "utf8"))).toEqual(
      job.parameters,
    );
    await writeFile(path.join(folder, "ops/a.py"), "print(2)");
    const moved = await readInput(pinned);
    expect(() => pinInput(pinned, moved)).toThrow("not those that the job ran");
    await symlink("/etc/passwd", path.join(folder, "ops/b.py"));
    await expect(readInput(job)).rejects.toThrow("ops/b.py");
  });

  it("is not read where it is too much, however large it is", async () => {
    const folder = await temporaryDirectory();
    const large = await open(path.join(folder, "large"), "w");
    await large.truncate(2 ** 40);
    await large.close();
    const job = aJob({ source: { kind: "directory", path: folder } });
    await expect(readInput(job)).rejects.toThrow("too much for scripts");
  });

  it.each(["http://git.example/x", "http://me:word@git.example/x", "git://git.example/x"])(
    "is not taken from %s, which no container would fetch from",
    async (url) => {
      const refused = pinSource(url, "a".repeat(40));
      await expect(refused).rejects.toThrow("git.example/x is not encrypted");
      await expect(refused).rejects.toMatchObject({
        kind: "usage",
        mend: expect.stringContaining("https://") as string,
      });
      await expect(refused).rejects.not.toThrow("word");
    },
  );

  it.each(["--upload-pack=id", "a..b", "main:path", "main^", "a b", ""])("is not taken at the ref %j", async (ref) => {
    await expect(pinSource("https://git.example/scripts.git", ref)).rejects.toThrow("is no name of a branch");
  });

  it("of a repository needs a ref", async () => {
    await expect(pinSource("https://git.example/scripts.git", undefined)).rejects.toThrow("names no commit");
    await expect(pinSource("/no/such/folder", undefined)).rejects.toThrow("neither a folder nor");
  });
});

describe("secrets", () => {
  const secrets = [
    { name: "WORD", as: "environment" },
    { name: "KEY", as: "file" },
    { name: "VAULT_ROLE_ID", as: "environment" },
  ];

  it("go to the script, or to Vault where the job has one", () => {
    const values = { WORD: Buffer.from("word\n"), KEY: Buffer.from([0, 1]), VAULT_ROLE_ID: Buffer.from("role") };
    expect(secretDocument(aJob({ secrets, vault: { auth: "approle" } }), values)).toEqual({
      environment: { WORD: "word" },
      files: { KEY: { name: "KEY", base64: "AAE=" } },
      vault: { role_id: "role" },
    });
    expect(secretDocument(aJob({ secrets }), values).environment).toMatchObject({ VAULT_ROLE_ID: "role" });
  });

  it("go along with the result where that is posted, and else to the script", () => {
    const job = { secrets: [{ name: "RESULT_TOKEN", as: "environment" }] };
    const values = { RESULT_TOKEN: Buffer.from("token\n") };
    expect(secretDocument(aJob({ ...job, result_url: "https://results.example/" }), values)).toEqual({
      result_token: "token",
    });
    expect(secretDocument(aJob(job), values)).toEqual({ environment: { RESULT_TOKEN: "token" } });
  });

  it("are refused where one is missing, unknown, or no text for a variable", () => {
    const job = aJob({ secrets: secrets.slice(0, 1) });
    expect(() => secretDocument(job, {})).toThrow("the secret WORD of the job has no value");
    expect(() => secretDocument(job, { WORD: Buffer.from("a"), B: Buffer.from("b") })).toThrow("no secret B");
    expect(() => secretDocument(job, { WORD: Buffer.from([255]) })).toThrow("no text");
  });
});

it("a gate lets no more through than its width, in order", async () => {
  const gate = new Gate(2);
  const [order, inside]: [number[], { now: number; most: number }] = [[], { now: 0, most: 0 }];
  await Promise.all(
    [1, 2, 3, 4, 5].map(async (number) => {
      const leave = await gate.enter();
      order.push(number);
      inside.now += 1;
      inside.most = Math.max(inside.most, inside.now);
      await sleep(1);
      inside.now -= 1;
      leave();
      leave();
    }),
  );
  expect(order).toEqual([1, 2, 3, 4, 5]);
  expect(inside.most).toBe(2);
});
