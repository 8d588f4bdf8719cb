import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModuleEvent } from "../../../execution/module/response.ts";
import { silent } from "../../../progress.ts";
import { engineEnvironment, type Engine } from "../../../toolchain/docker-engine.ts";
import { dockerAlone } from "../../support/docker-alone.ts";
import { moduleCommand } from "../../support/module-command.ts";
import { moduleEngine, moduleImage } from "../../support/module-images.ts";
import { NoteServer } from "../../support/module-notes.ts";
import { ModuleRuns, TEST_STACK } from "../../support/module-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let engine: Engine;
let outside: NoteServer;

beforeAll(async () => {
  engine = await moduleEngine();
  outside = await NoteServer.start(engine);
});

afterAll(() => outside.stop());

/** Longer than any test waits: what ends earlier was ended. */
const FOREVER = 300;
/** From the wish to stop to the result: a container's end, state and response included. */
const STOPPED_MS = 15_000;

async function pulumiRuns(inputs: ModuleRuns["inputs"] = {}): Promise<ModuleRuns> {
  const { image } = await moduleImage(engine, "pulumi-nodejs");
  return new ModuleRuns(engine, image, await temporaryDirectory(), { "notes:store": outside.address, ...inputs });
}

async function tofuRuns(inputs: ModuleRuns["inputs"] = {}): Promise<ModuleRuns> {
  const { image } = await moduleImage(engine, "opentofu");
  return new ModuleRuns(engine, image, await temporaryDirectory(), inputs);
}

/** Resolves once a resource is being made, which takes `FOREVER`. */
function underWay() {
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const onEvent = ({ kind, status, action }: ModuleEvent) => {
    if (kind === "resource" && status === "started" && action === "create") begin();
  };
  return { begun, onEvent };
}

describe("an apply that fails", () => {
  it.each([
    { tool: "Pulumi", runsOf: pulumiRuns, refuse: "no room for it", output: "noteName", message: "no room for it" },
    { tool: "OpenTofu", runsOf: tofuRuns, refuse: true, output: "file_name", message: "local_file.refused" },
  ])("of $tool gives error, logs, and what was made before it", async ({ runsOf, refuse, output, message }) => {
    const runs = await runsOf({ refuse });
    const failed = await runs.perform("apply");
    expect(failed.response).toMatchObject({
      success: false,
      error_detail: { code: "resource_failed", phase: "running" },
    });
    expect(failed.exitCode).toBe(1);
    expect(failed.response.error).toContain(message);
    expect(failed.response.logs).toContain(message);
    expect(Object.keys(failed.outputs)).toContain(output);
    expect(failed.response.summary.create).toBeGreaterThan(0);
    expect(failed.state).toMatchObject({ changed: true });
    expect(await runs.containers(failed.runId)).toEqual([]);

    // What was made is in the state: it is destroyed, not lost.
    const destroyed = await runs.perform("destroy");
    expect(destroyed.response).toMatchObject({ success: true });
    expect(destroyed.response.summary.delete).toBeGreaterThan(0);
  });
});

describe.each([
  { tool: "Pulumi", runsOf: pulumiRuns, slow: { delaySeconds: FOREVER } },
  { tool: "OpenTofu", runsOf: tofuRuns, slow: { delay_seconds: FOREVER } },
])("an apply of $tool that is stopped", ({ runsOf, slow }) => {
  it("by its caller leaves state, and neither container nor lock", async () => {
    const runs = await runsOf(slow);
    const { begun, onEvent } = underWay();
    const caller = new AbortController();
    const running = runs.perform("apply", { onEvent, signal: caller.signal });
    await begun;
    const from = Date.now();
    caller.abort();
    const cancelled = await running;
    expect(Date.now() - from).toBeLessThan(STOPPED_MS);
    expect(cancelled.response).toMatchObject({ success: false, error_detail: { code: "cancelled" }, phase: "done" });
    expect(cancelled.exitCode).toBe(143);
    expect(cancelled.state).toMatchObject({ changed: true, serial: 1 });
    expect(await runs.containers(cancelled.runId)).toEqual([]);
    expect(await runs.files()).not.toContain("lock.json");
    expect((await runs.perform("destroy")).response).toMatchObject({ success: true });
  });

  it("by its timeout says so", async () => {
    const runs = await runsOf(slow);
    const from = Date.now();
    const late = await runs.perform("apply", { limits: { timeoutMs: 5_000, graceMs: 10_000 } });
    expect(Date.now() - from).toBeLessThan(5_000 + STOPPED_MS);
    expect(late.response).toMatchObject({ success: false, error_detail: { code: "deadline_exceeded" }, phase: "done" });
    expect(late.exitCode).toBe(124);
    expect(late.state).toMatchObject({ changed: true });
    expect(await runs.containers(late.runId)).toEqual([]);
    expect(await runs.files()).not.toContain("lock.json");
  });
});

/** `kiln module apply` as a person runs it, once it makes something that takes `FOREVER`. */
async function command(runs: ModuleRuns, slow: object) {
  const input = path.join(runs.state, "inputs.json");
  await writeFile(input, JSON.stringify({ ...runs.inputs, ...slow }));
  const { PATH } = await dockerAlone(engine, runs.state);
  const options = ["--stack-name", TEST_STACK, "--state", runs.state, "--grace", "10s", "--input", input];
  const running = moduleCommand(["apply", runs.image, ...options], { ...engineEnvironment(engine), PATH });
  await running.saying(/greeting creating|slow\[0\]: Creating/);
  const lock = path.join(runs.state, TEST_STACK, "lock.json");
  const record = JSON.parse(await readFile(lock, "utf8")) as Record<"run_id" | "container", string>;
  return { ...running, record };
}

describe.each([
  { tool: "Pulumi", runsOf: pulumiRuns, slow: { delaySeconds: FOREVER }, signal: "SIGINT" as const },
  { tool: "OpenTofu", runsOf: tofuRuns, slow: { delay_seconds: FOREVER }, signal: "SIGHUP" as const },
])("the command, of $tool", ({ runsOf, slow, signal }) => {
  it(`ends on ${signal} with 130, once the module is stopped and its state is saved`, async () => {
    const runs = await runsOf();
    const { child, ended, record, said } = await command(runs, slow);
    expect(await runs.containers(record.run_id)).toEqual([record.container]);
    // A terminal that is closed takes nothing any more, and says so to whoever writes.
    if (signal === "SIGHUP") for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    child.kill(signal);
    expect(await ended, said()).toBe(130);
    expect(await runs.containers(record.run_id)).toEqual([]);
    expect(await runs.files()).toContain("state.json");
    expect(await runs.files()).not.toContain("lock.json");
  });

  it("that is killed leaves an orphan: the next run proves it, stops it, and goes on with its state", async () => {
    const runs = await runsOf();
    const { child, ended, record } = await command(runs, slow);
    child.kill("SIGKILL");
    await ended;
    expect(await runs.containers(record.run_id)).toEqual([record.container]);

    const notes: string[] = [];
    const next = await runs.perform("apply", { progress: { ...silent, note: (text) => notes.push(text) } });
    expect(notes.join("\n")).toContain(`run ${record.run_id} was broken off (process ${child.pid ?? ""} is gone)`);
    expect(await runs.containers(record.run_id)).toEqual([]);
    expect(next.response).toMatchObject({ success: true });
    expect(next.response.summary.create).toBeGreaterThan(0);
    expect(next.state).toMatchObject({ serial: 2 });
    const left = path.join(runs.state, TEST_STACK, "runs", record.run_id, "response.json");
    expect(JSON.parse(await readFile(left, "utf8"))).toMatchObject({ success: false, phase: "done" });
    await runs.perform("destroy");
  });
});
