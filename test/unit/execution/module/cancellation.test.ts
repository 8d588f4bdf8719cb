import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker, type FakeDocker } from "./fake-docker.ts";

// A dozen processes a run: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

/** Runs until a phase, then cancels. */
function cancelledRun(fake: FakeDocker, directory: string, limits: { graceMs?: number; timeoutMs?: number } = {}) {
  const cancelling = new AbortController();
  return fake.execute({
    state: { directory },
    limits,
    signal: cancelling.signal,
    onEvent: ({ kind, phase }) => {
      if (kind === "phase" && phase === "running") cancelling.abort();
    },
  });
}

test("a run that is cancelled has its grace, keeps response and state, and leaves no container and no lock", async () => {
  const fake = await fakeDocker({ runMs: 60_000, graceMs: 200 });
  const directory = await temporaryDirectory();
  const result = await cancelledRun(fake, directory, { graceMs: 2_000 });
  expect(result.response).toMatchObject({ success: false, error_detail: { code: "cancelled", phase: "running" } });
  expect(result.exitCode).toBe(143);
  expect(result.state).toMatchObject({ serial: 1, changed: true });
  // The engine waits longer than the entrypoint, which has the tool to stop and state to save.
  expect((await fake.calls("stop"))[0]).toBe(`stop -t 17 ${result.container.name}`);
  expect(await fake.containers()).toEqual([]);
  expect(await readdir(path.join(directory, "s"))).not.toContain("lock.json");
});

test("a container that ignores its deadline is stopped from here, and that is said", async () => {
  const fake = await fakeDocker({ runMs: 60_000 });
  const result = await fake.execute({ state: { directory: await temporaryDirectory() }, limits: { timeoutMs: 300 } });
  expect(result.response).toMatchObject({
    success: false,
    error: "stopped because its time was over (exit code 143, SIGTERM)",
    error_detail: { code: "deadline_exceeded" },
  });
  expect(result.state).toMatchObject({ serial: 1, changed: true });
  expect(await fake.containers()).toEqual([]);
});

test("the container is told its deadline: the caller's where that is earlier", async () => {
  const fake = await fakeDocker();
  const deadlineOf = async (deadline: string | undefined, runId: string) => {
    const request = {
      action: "preview",
      inputs: {},
      run_id: runId,
      ...(deadline === undefined ? {} : { deadline }),
    } as const;
    await fake.execute({ request, limits: { timeoutMs: 60_000 } });
    const input = JSON.parse(await fake.fileOf(runId, "workspace/input.json")) as { deadline: string };
    return Date.parse(input.deadline);
  };
  const soon = new Date(Date.now() + 30_000).toISOString();
  expect(await deadlineOf(soon, "a")).toBe(Date.parse(soon));
  expect(Math.abs((await deadlineOf(undefined, "b")) - Date.now() - 60_000)).toBeLessThan(10_000);
  expect(Math.abs((await deadlineOf("2999-01-01T00:00:00Z", "c")) - Date.now() - 60_000)).toBeLessThan(10_000);
});

test("one that ignores SIGTERM too is killed, and what it had written counts", async () => {
  const fake = await fakeDocker({ runMs: 60_000, ignoresTerm: true });
  const directory = await temporaryDirectory();
  const running = cancelledRun(fake, directory, { graceMs: 1 });
  const killed = (async () => {
    while ((await fake.calls("stop").catch(() => [])).length === 0) await sleep(20);
    const [name = ""] = await fake.containers();
    process.kill(Number(await fake.fileOf(name, "pid")), "SIGKILL");
  })();
  const result = await running;
  await killed;
  expect(result.response).toMatchObject({
    success: false,
    phase: "running",
    error_detail: { code: "cancelled", phase: "running" },
  });
  expect(result.exitCode).toBe(137);
  expect(await fake.containers()).toEqual([]);
});

test("a cancellation that comes before the container has started stops it all the same", async () => {
  const fake = await fakeDocker({ runMs: 60_000, startDelayMs: 700 });
  const directory = await temporaryDirectory();
  const result = await fake.execute({ state: { directory }, signal: AbortSignal.timeout(250) });
  expect(result.response).toMatchObject({ success: false, error_detail: { code: "cancelled" } });
  expect((await fake.calls("stop")).length).toBeGreaterThan(1);
  expect(await fake.containers()).toEqual([]);
});

test("cleaning up has time of its own: a signal that is long aborted ends no clean-up", async () => {
  const fake = await fakeDocker({ runMs: 60_000 });
  const result = await fake.execute({
    state: { directory: await temporaryDirectory() },
    request: { action: "apply", inputs: {}, stack_name: "s", deadline: "2020-01-01T00:00:00Z" },
  });
  expect(result.response).toMatchObject({ success: false, error_detail: { code: "deadline_exceeded" } });
  expect((await fake.calls()).slice(-3).map((call) => call.split(" ")[0])).toEqual(["container", "cp", "rm"]);
  expect(await fake.containers()).toEqual([]);
});

test("Ctrl-C ends a run as a cancellation does: every step after it is still done", async () => {
  const fake = await fakeDocker({ runMs: 60_000 });
  const directory = await temporaryDirectory();
  const root = path.resolve(import.meta.dirname, "../../../..");
  const script = `
    import { Executor } from "${root}/execution/module/executor.ts";
    import { interruption } from "${root}/toolchain/process.ts";
    process.once("SIGINT", () => interruption.abort());
    const { response, state } = await new Executor().execute({
      image: "r/i:t", engine: { docker: "${fake.engine.docker}", managed: false }, state: { directory: "${directory}" },
      request: { action: "apply", inputs: {}, stack_name: "s" },
      onEvent: ({ phase }) => { if (phase === "running") process.kill(process.pid, "SIGINT"); },
    });
    console.log(JSON.stringify({ code: response.error_detail.code, ...state }));`;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]);
  const said: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => said.push(text));
  await once(child, "close");
  expect(JSON.parse(said.join(""))).toMatchObject({ code: "cancelled", serial: 1, changed: true });
  expect(await fake.containers()).toEqual([]);
  expect(await readdir(path.join(directory, "s"))).not.toContain("lock.json");
  expect(JSON.parse(await readFile(path.join(directory, "s/state.json"), "utf8"))).toMatchObject({ serial: 1 });
});
