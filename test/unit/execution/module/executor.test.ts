import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, test, vi } from "vitest";
import type { ModuleEvent } from "../../../../execution/module/response.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker, IMAGE_ID } from "./fake-docker.ts";

// A dozen processes a run: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

const readJson = async (file: string) => JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;

test("a run makes a container, hands request and secrets in, takes the response out, and leaves nothing", async () => {
  const fake = await fakeDocker();
  const directory = await temporaryDirectory();
  const result = await fake.execute({
    request: { action: "apply", inputs: { n: 12345678901, "-x": null, o: { a: [1] } }, stack_name: "s", run_id: "r-1" },
    secrets: { inputs: { password: "hunter22!" } },
    state: { directory },
  });
  expect(result.response).toMatchObject({ success: true, phase: "done", run_id: "r-1" });
  expect(result.outputs).toEqual({
    n: { value: 12345678901, sensitive: false },
    "-x": { value: null, sensitive: false },
    o: { value: { a: [1] }, sensitive: false },
    password: { value: "hunter22!", sensitive: true },
  });
  expect(result.state).toEqual({ folder: path.join(directory, "s"), serial: 1, changed: true });
  const { name } = result.container;
  expect(name).toMatch(/^kiln-module-r-1-[0-9a-f]{8}$/);
  const calls = (await fake.calls()).map((call) => call.split(" ").slice(0, 2).join(" "));
  // These two at once.
  expect(calls.slice(0, 2).sort()).toEqual(["image inspect", "info --format"]);
  expect(calls.slice(2)).toEqual([
    "create --name",
    "cp -",
    "start --attach",
    "container inspect",
    `cp ${name}:/workspace/output.json`,
    "rm --volumes",
  ]);
  expect(await fake.containers()).toEqual([]);
  const args = (await fake.fileOf(name, "args")).trimEnd().split("\n");
  expect(args.at(-1)).toBe(IMAGE_ID);
  const removed = path.join(fake.home, "removed", name, "workspace/input.json");
  expect((await stat(removed)).mode & 0o777).toBe(0o600);
  expect(args).not.toContain("--rm");
  expect(args.join(" ")).toContain("--label dev.kiln.run=r-1 --label dev.kiln.stack=s");
});

test("the next run goes on with the state of the one before", async () => {
  const fake = await fakeDocker();
  const state = { directory: await temporaryDirectory() };
  await fake.execute({ state });
  const second = await fake.execute({
    state,
    request: { action: "apply", inputs: {}, stack_name: "s", run_id: "two" },
  });
  expect(JSON.parse(await fake.fileOf("two", "workspace/input.json"))).toMatchObject({
    state: { serial: 1 },
  });
  expect(second.state).toMatchObject({ serial: 2, changed: true });
  expect((await stat(path.join(state.directory, "s/state.json"))).mode & 0o777).toBe(0o600);
});

test.each(["preview", "refresh"] as const)("%s changes no state", async (action) => {
  const fake = await fakeDocker();
  const state = { directory: await temporaryDirectory() };
  const result = await fake.execute({ state, request: { action, inputs: {}, stack_name: "s" } });
  expect(result.state).toEqual({ folder: path.join(state.directory, "s"), changed: false });
});

describe("a run that fails", () => {
  it("gives error, logs, partial outputs and state although the exit code is not 0", async () => {
    const detail = { code: "resource_failed", phase: "running", message: "bucket: denied", retryable: false };
    const response = { success: false, error: "bucket: denied", error_detail: detail, logs: "creating bucket\n" };
    const fake = await fakeDocker({ response, exit: 1 });
    const state = { directory: await temporaryDirectory() };
    const result = await fake.execute({ state, request: { action: "apply", inputs: { made: 1 }, stack_name: "s" } });
    expect(result.response).toMatchObject(response);
    expect(result.outputs).toEqual({ made: { value: 1, sensitive: false } });
    expect(result.exitCode).toBe(1);
    expect(result.state).toMatchObject({ serial: 1, changed: true });
  });

  it.each([
    [{ silent: true, dies: 3 }, "starting", "the container ended before its work was done (exit code 3)"],
    [{ dies: 137 }, "running", "the container ended before its work was done (exit code 137, SIGKILL)"],
    [{ exit: 7 }, "done", "the entrypoint reported success, but ended with exit code 7"],
    [{ startError: "exec: not found" }, "starting", "the container could not be started: exec: not found"],
  ])("%j is said with its phase and exit code", async (scenario, phase, error) => {
    const fake = await fakeDocker(scenario);
    const { response } = await fake.execute({ state: { directory: await temporaryDirectory() } });
    expect(response).toMatchObject({ success: false, error, error_detail: { phase, message: error } });
    expect(await fake.containers()).toEqual([]);
  });

  it("for too little memory says so, with the limit", async () => {
    const fake = await fakeDocker({ dies: 137 });
    await fake.mark("out-of-memory");
    const { response } = await fake.execute({
      state: { directory: await temporaryDirectory() },
      limits: { memory: "64m" },
    });
    expect(response.error).toContain("more memory than its limit of 64m");
  });

  it("does not follow a link in place of the response", async () => {
    const outside = path.join(await temporaryDirectory(), "secret");
    const fake = await fakeDocker({ silent: true, link: outside, dies: 0 });
    const { response } = await fake.execute({ state: { directory: await temporaryDirectory() } });
    expect(response.error).toContain("is no regular file but a symlink");
  });

  it("with outputs that another key sealed is no success", async () => {
    const fake = await fakeDocker({ otherKey: true });
    const secrets = { inputs: { password: "hunter22!" } };
    const result = await fake.execute({ secrets, state: { directory: await temporaryDirectory() } });
    expect(result.response).toMatchObject({ success: false, error_detail: { code: "state_key_wrong" } });
    expect(result.outputs).toEqual({});
  });
});

describe("state that may not be kept", () => {
  it.each([
    [{ serial: 1 }, "its serial 1 is behind 2"],
    [{ lineage: "11111111-1111-4111-8111-111111111111" }, "its lineage is"],
    [{ stack: "other" }, "it is of the stack other"],
    [{ tool: "opentofu" }, "it is opentofu's, not pulumi's"],
  ])("%j is refused, and what is kept stays", async (state, message) => {
    const fake = await fakeDocker();
    const directory = await temporaryDirectory();
    await fake.execute({ state: { directory } });
    await fake.execute({ state: { directory } });
    const before = await readFile(path.join(directory, "s/state.json"), "utf8");
    await fake.play({ state });
    const { response } = await fake.execute({ state: { directory } });
    expect(response).toMatchObject({ success: false, error_detail: { code: "state_mismatch" } });
    expect(response.error).toContain(message);
    expect(await readFile(path.join(directory, "s/state.json"), "utf8")).toBe(before);
  });

  it("is not lost in silence: what changes resources needs a place for its state", async () => {
    const fake = await fakeDocker();
    const request = { action: "apply", inputs: {} } as const;
    await expect(fake.execute({ request })).rejects.toMatchObject({
      kind: "usage",
      message: "apply has no place for its state",
    });
    for (const more of [
      { state_mode: "ephemeral" },
      { state_mode: "remote" },
      { backend: { type: "s3", config: {} } },
    ] as const) {
      expect((await fake.execute({ request: { ...request, ...more } })).response.success).toBe(true);
    }
    const environment = { PULUMI_BACKEND_URL: "s3://b" };
    expect(
      (
        await fake.execute(
          { request, credentials: ["pulumi"] },
          { ...environment, PULUMI_ACCESS_TOKEN: "pul-0123456789" },
        )
      ).response.success,
    ).toBe(true);
  });

  it("needs a stack of its own", async () => {
    const fake = await fakeDocker();
    const request = { action: "apply", inputs: {} } as const;
    await expect(fake.execute({ request, state: { directory: await temporaryDirectory() } })).rejects.toMatchObject({
      message: "the request names no stack, whose state would be kept",
    });
  });
});

test("every line of a container that prints much and ends at once comes, in order, before the result", async () => {
  const fake = await fakeDocker({ lines: 5_000 });
  const lines: unknown[] = [];
  const onEvent = (event: ModuleEvent) => {
    if (event.kind === "log") lines.push(event.message);
  };
  const directory = await temporaryDirectory();
  await fake.execute({
    onEvent,
    state: { directory },
    request: { action: "apply", inputs: {}, stack_name: "s", run_id: "r" },
  });
  expect(lines).toEqual(Array.from({ length: 5_000 }, (_, at) => `line ${at}`));
  const kept = (await readFile(path.join(directory, "s/runs/r/events.ndjson"), "utf8")).trimEnd().split("\n");
  expect(kept).toHaveLength(5_002);
});

test("containers that end at once, or whose client is cut off, give their response each time", async () => {
  const fake = await fakeDocker();
  const state = { directory: await temporaryDirectory() };
  for (let round = 1; round <= 12; round++) {
    await fake.play(round % 3 === 0 ? { runMs: 150, clientDiesMs: 1 + round * 5 } : {});
    const result = await fake.execute({ state });
    expect(result.response, `round ${round}`).toMatchObject({ success: true });
    expect(result.state).toMatchObject({ serial: round });
  }
  expect(await fake.containers()).toEqual([]);
});

test("a request, its answer and its events are kept, without state in the request", async () => {
  const fake = await fakeDocker();
  const directory = await temporaryDirectory();
  await fake.execute({
    state: { directory },
    request: { action: "apply", inputs: { a: 1 }, stack_name: "s", run_id: "r" },
  });
  const folder = path.join(directory, "s/runs/r");
  expect(await readJson(path.join(folder, "request.json"))).toMatchObject({ inputs: { a: 1 }, state_serial: null });
  expect(await readJson(path.join(folder, "response.json"))).toMatchObject({ success: true, state: { serial: 1 } });
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test("the answer of an earlier run with the same id stays: it may have the only copy of a refused state", async () => {
  const fake = await fakeDocker();
  const directory = await temporaryDirectory();
  const request = { action: "apply", inputs: {}, stack_name: "s", run_id: "r" } as const;
  for (const serial of [1, 2]) {
    expect((await fake.execute({ state: { directory }, request })).state).toMatchObject({ serial });
  }
  const folder = path.join(directory, "s/runs/r");
  const [now = "", before = "", ...more] = (await readdir(folder)).filter((name) => name.startsWith("response")).sort();
  expect(more).toEqual([]);
  expect(await readJson(path.join(folder, now))).toMatchObject({ state: { serial: 2 } });
  expect(await readJson(path.join(folder, before))).toMatchObject({ state: { serial: 1 } });
});

test("an entrypoint is put into an image that has none, in a folder of the sandbox's user", async () => {
  const fake = await fakeDocker();
  const entrypoint = path.join(await temporaryDirectory(), "kiln-entrypoint");
  await writeFile(entrypoint, "a program");
  const request = { action: "preview", inputs: {}, run_id: "r" } as const;
  expect((await fake.execute({ request, entrypoint })).response.success).toBe(true);
  const args = (await fake.fileOf("r", "args")).trimEnd().split("\n");
  expect(args.slice(args.indexOf("--entrypoint"))).toEqual([
    ...["--entrypoint", "/workspace/run/kiln-entrypoint", IMAGE_ID],
    ...["--input", "/workspace/run/input.json", "--output", "/workspace/run/output.json"],
  ]);
  const run = path.join(await fake.folderOf("r"), "workspace/run");
  expect((await stat(run)).mode & 0o777).toBe(0o700);
  expect((await stat(path.join(run, "kiln-entrypoint"))).mode & 0o777).toBe(0o500);
});
