import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, test, vi } from "vitest";
import { thisOwner } from "../../../../toolchain/lock.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker, type FakeDocker } from "./fake-docker.ts";

// A dozen processes a run: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

const ROOT = path.resolve(import.meta.dirname, "../../../..");

function collected() {
  const notes: string[] = [];
  const progress = { step: () => undefined, update: () => undefined, note: (text: string) => notes.push(text) };
  return { notes, progress };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

/** An executor in a process of its own, killed once its container is at work. */
async function killedExecutor(fake: FakeDocker, directory: string): Promise<void> {
  const script = `
    import { Executor } from "${ROOT}/execution/module/executor.ts";
    await new Executor({ env: process.env }).execute({
      image: "r/i:t", engine: { docker: "${fake.engine.docker}", managed: false }, state: { directory: "${directory}" },
      request: { action: "apply", inputs: {}, stack_name: "s", run_id: "orphan" },
    });`;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", script], { stdio: "ignore" });
  const events = path.join(directory, "s/runs/orphan/events.ndjson");
  await until(async () => (await readFile(events, "utf8").catch(() => "")).includes("running"));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
}

test("a stack has one run at a time; another stack has its own", async () => {
  const fake = await fakeDocker({ runMs: 1_000 });
  const state = { directory: await temporaryDirectory() };
  const request = { action: "apply", inputs: {}, stack_name: "s", run_id: "first" } as const;
  const first = fake.execute({ state, request });
  await until(async () => (await fake.calls().catch(() => [])).some((call) => call.startsWith("start")));
  await expect(fake.execute({ state })).rejects.toMatchObject({
    kind: "failed",
    message: expect.stringMatching(
      /^the stack s is locked by run first \(process \d+ on .+, container kiln-module-first-\w+, since/,
    ) as string,
  });
  const other = await fake.execute({ state, request: { ...request, stack_name: "other", run_id: "second" } });
  expect(other.response.success).toBe(true);
  expect((await first).response.success).toBe(true);
  expect((await fake.execute({ state })).state).toMatchObject({ serial: 2 });
});

test("of runs that begin together one goes on", async () => {
  const fake = await fakeDocker({ runMs: 500 });
  const state = { directory: await temporaryDirectory() };
  const runs = await Promise.allSettled([1, 2, 3].map(() => fake.execute({ state })));
  expect(runs.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
});

test("after kill -9 the next run stops the container that still runs, keeps its state, and goes on from there", async () => {
  const fake = await fakeDocker({ runMs: 60_000 });
  const directory = await temporaryDirectory();
  await killedExecutor(fake, directory);
  const [name = ""] = await fake.containers();
  expect(name).toMatch(/^kiln-module-orphan-/);
  await fake.play({});
  const { notes, progress } = collected();
  const result = await fake.execute({ state: { directory }, progress, limits: { graceMs: 1_000 } });
  expect(notes.join()).toMatch(
    /the stack s: run orphan was broken off \(process \d+ is gone\); looking after its container/,
  );
  expect(await fake.calls("stop")).toEqual([`stop -t 16 ${name}`]);
  const kept = JSON.parse(await readFile(path.join(directory, "s/runs/orphan/response.json"), "utf8")) as unknown;
  expect(kept).toMatchObject({ success: false, error_detail: { code: "cancelled" }, state: { serial: 1 } });
  expect(result.state).toMatchObject({ serial: 2, changed: true });
  expect(await fake.containers()).toEqual([]);
});

test("after kill -9 the state of a container that ended by itself is kept as well", async () => {
  const fake = await fakeDocker({ runMs: 600 });
  const directory = await temporaryDirectory();
  await killedExecutor(fake, directory);
  const exit = () => fake.fileOf("orphan", "exit").catch(() => "");
  await until(async () => (await exit()) === "0");
  expect((await fake.execute({ state: { directory } })).state).toMatchObject({ serial: 2 });
  const kept = JSON.parse(await readFile(path.join(directory, "s/runs/orphan/response.json"), "utf8")) as unknown;
  expect(kept).toMatchObject({ success: true, state: { serial: 1 } });
});

const GONE = {
  ...thisOwner(),
  pid: 2 ** 30,
  run_id: "old",
  container: "kiln-module-old-1",
  instance: "00000000-0000-4000-8000-000000000000",
  engine: "",
  engine_id: "first engine",
  since: "2026-11-22T00:00:00Z",
};

async function locked(record: Readonly<Record<string, unknown>>) {
  const fake = await fakeDocker();
  const directory = await temporaryDirectory();
  await fake.execute({ state: { directory } });
  const file = path.join(directory, "s/lock.json");
  await writeFile(file, JSON.stringify(record));
  return { fake, directory, file };
}

it("a lock whose process is gone, without a container, is taken over", async () => {
  const { fake, directory, file } = await locked(GONE);
  expect((await fake.execute({ state: { directory } })).response.success).toBe(true);
  expect(await readdir(path.dirname(file))).not.toContain("lock.json");
});

it.each([
  ["another host", { host: "elsewhere" }],
  ["another container of this host", { space: "boot pid:[1]" }],
])("a lock of %s proves nothing, and is refused with what to do", async (_, owner) => {
  const { fake, directory, file } = await locked({ ...GONE, ...owner });
  await expect(fake.execute({ state: { directory } })).rejects.toMatchObject({
    message: expect.stringContaining("which is not on this machine") as string,
    mend: expect.stringContaining(`remove ${file}`) as string,
  });
});

it("a lock is kept while the engine cannot say what became of the container", async () => {
  const { fake, directory, file } = await locked(GONE);
  await fake.fail("ps", "Cannot connect to the Docker daemon");
  await expect(fake.execute({ state: { directory } })).rejects.toThrow("Cannot connect to the Docker daemon");
  expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ run_id: "old" });
});

it("a lock names run, process, container and engine", async () => {
  const fake = await fakeDocker({ runMs: 300 });
  const directory = await temporaryDirectory();
  let record: unknown;
  const onEvent = () => {
    record ??= readFile(path.join(directory, "s/lock.json"), "utf8");
  };
  const { runId, container } = await fake.execute({ state: { directory }, onEvent });
  expect(JSON.parse(await (record as Promise<string>))).toMatchObject({
    ...thisOwner(),
    run_id: runId,
    container: container.name,
    instance: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    engine: "",
    engine_id: "first engine",
  });
});

describe("two runs with one id", () => {
  it("of two stacks each have a container of their own, and neither ends the other's", async () => {
    const fake = await fakeDocker({ runMs: 500 });
    const state = { directory: await temporaryDirectory() };
    const results = await Promise.all(
      ["one", "two"].map((stack_name) =>
        fake.execute({ state, request: { action: "apply", inputs: {}, stack_name, run_id: "same" } }),
      ),
    );
    expect(results.map(({ response }) => response.success)).toEqual([true, true]);
    expect(new Set(results.map(({ container }) => container.name)).size).toBe(2);
  });

  it("are told apart when one is broken off: only its own container is ended", async () => {
    const fake = await fakeDocker({ runMs: 60_000 });
    const directory = await temporaryDirectory();
    await killedExecutor(fake, directory);
    const [orphan = ""] = await fake.containers();
    // Sorted before it, with the same run's label, and alive.
    const other = path.join(fake.home, "containers/kiln-module-orphan-");
    await mkdir(other);
    await writeFile(path.join(other, "args"), "dev.kiln.run=orphan\ndev.kiln.instance=another\n");
    await fake.play({});
    expect((await fake.execute({ state: { directory } })).state).toMatchObject({ serial: 2 });
    expect(await fake.calls("stop")).toEqual([expect.stringContaining(orphan)]);
    expect(await fake.containers()).toEqual(["kiln-module-orphan-"]);
  });
});

describe("another engine under the same words", () => {
  it("proves nothing of an orphan: the stack waits for the engine that has it", async () => {
    const fake = await fakeDocker({ runMs: 60_000 });
    const directory = await temporaryDirectory();
    await killedExecutor(fake, directory);
    await fake.become("second engine");
    await fake.play({});
    await expect(fake.execute({ state: { directory } })).rejects.toMatchObject({
      message: expect.stringMatching(
        /^run orphan left the container kiln-module-orphan-\w+ on another engine/,
      ) as string,
      mend: expect.stringContaining(path.join(directory, "s/lock.json")) as string,
    });
    expect(await fake.containers()).toHaveLength(1);
    await fake.become("first engine");
    expect((await fake.execute({ state: { directory } })).state).toMatchObject({ serial: 2 });
    expect(await fake.containers()).toEqual([]);
  });

  it("that does not say which one it is begins no run", async () => {
    const fake = await fakeDocker();
    await fake.become("");
    const run = fake.execute({ state: { directory: await temporaryDirectory() } });
    await expect(run).rejects.toThrow("the Docker engine does not say which one it is");
    expect(await fake.calls()).not.toContainEqual(expect.stringMatching(/^create/));
  });
});

it.each(["instance", "engine_id"])("a lock without %s proves nothing, and is refused", async (field) => {
  const { fake, directory } = await locked({ ...GONE, [field]: undefined });
  await expect(fake.execute({ state: { directory } })).rejects.toThrow("does not say which container and engine");
});
