import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it, onTestFinished, test, vi } from "vitest";
import type { ModuleRequest } from "../../../../execution/module/request.ts";
import type { ModuleEvent } from "../../../../execution/module/response.ts";
import { RunHistory } from "../../../../execution/module/run-history.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker, quickClock, type FakeDocker, type Scenario } from "./fake-docker.ts";

// A dozen processes a run: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

const FIRST: unknown = expect.stringMatching(/^kiln-module-first-[0-9a-f]{8}$/);
const REQUEST = { action: "apply", inputs: {}, stack_name: "s", run_id: "first" } as const;

/** A run during which something breaks, and what is there after it. */
async function brokenRun(
  breaks: (place: { readonly fake: FakeDocker; readonly folder: string }) => void,
  { request = REQUEST, scenario = {} }: { readonly request?: ModuleRequest; readonly scenario?: Scenario } = {},
) {
  const fake = await fakeDocker({ runMs: 150, ...scenario });
  const directory = await temporaryDirectory();
  const folder = path.join(directory, "s");
  const notes: string[] = [];
  const options = {
    request,
    state: { directory },
    progress: { step: () => undefined, update: () => undefined, note: (text: string) => void notes.push(text) },
    onEvent: ({ phase }: ModuleEvent) => {
      if (phase === "running") breaks({ fake, folder });
    },
  };
  const result = await fake.execute(options, {}, quickClock()).catch((error: unknown) => error as Error);
  await fake.play({});
  const readState = async () => JSON.parse(await readFile(path.join(folder, "state.json"), "utf8")) as unknown;
  const next = () => fake.execute({ state: { directory } });
  return { fake, folder, result, notes, readState, next, files: () => readdir(folder) };
}

const failing = (command: string, said = "Cannot connect to the Docker daemon") => {
  return ({ fake }: { readonly fake: FakeDocker }) => {
    writeFileSync(path.join(fake.home, `fail-${command}`), said);
  };
};

test("a response that cannot be taken stays in its container, and the next run saves its state first", async () => {
  const { fake, result, notes, files, next, readState } = await brokenRun(failing("cp"));
  expect(result).toMatchObject({
    response: { success: false, error: expect.stringContaining("its response cannot be read") as string },
    container: { kept: true },
  });
  expect(await fake.containers()).toEqual([FIRST]);
  expect(await files()).toContain("lock.json");
  expect(notes.join()).toMatch(
    /the container kiln-module-first-\w+ and the stack's lock are kept: its response cannot be read: .*daemon/,
  );
  await fake.fail("cp", undefined);
  // This process lives, and has given the stack up all the same.
  expect((await next()).state).toMatchObject({ serial: 2, changed: true });
  expect(await readState()).toMatchObject({ serial: 2 });
  expect(await fake.containers()).toEqual([]);
  expect(await files()).not.toContain("lock.json");
});

test("an engine whose socket is gone is not taken for a container without a response", async () => {
  const said = "error during connect: Get http://d/: dial unix /run/docker.sock: connect: no such file or directory";
  const { fake, result } = await brokenRun(failing("cp", said));
  expect(result).toMatchObject({ container: { kept: true } });
  expect(await fake.containers()).toEqual([FIRST]);
});

test("a container whose end is not seen is kept, and the next run ends it", async () => {
  const { fake, result, next } = await brokenRun(failing("container"));
  expect(result).toMatchObject({ message: expect.stringContaining("Cannot connect to the Docker daemon") as string });
  expect(await fake.containers()).toEqual([FIRST]);
  await fake.fail("container", undefined);
  expect((await next()).state).toMatchObject({ serial: 2 });
  expect(await fake.containers()).toEqual([]);
});

const REMOTE = { ...REQUEST, state_mode: "remote" } as const;

test("a container that may still be at work is kept though it has no state: it may be changing resources", async () => {
  const { fake, files, notes, next } = await brokenRun(failing("container"), { request: REMOTE });
  expect(await fake.containers()).toEqual([FIRST]);
  expect(await files()).toContain("lock.json");
  expect(notes.join()).toMatch(/kept: its run was not seen to its end/);
  await fake.fail("container", undefined);
  expect((await next()).response.success).toBe(true);
  expect(await fake.containers()).toEqual([]);
});

test("an engine that is away for minutes costs nothing: it is asked until it is back", async () => {
  const fake = await fakeDocker({ runMs: 150 });
  let awayMs = 0;
  const clock = quickClock((sinceMs) => {
    awayMs = sinceMs;
    if (sinceMs > 240_000) rmSync(path.join(fake.home, "fail-container"), { force: true });
  });
  const onEvent = ({ phase }: ModuleEvent) => {
    if (phase === "running") failing("container")({ fake });
  };
  const result = await fake.execute({ state: { directory: await temporaryDirectory() }, onEvent }, {}, clock);
  expect(awayMs).toBeGreaterThan(240_000);
  expect(result).toMatchObject({ response: { success: true }, state: { serial: 1 }, container: { kept: false } });
  expect(await fake.containers()).toEqual([]);
});

test("an engine that does not come back is given up after five minutes, in its own words", async () => {
  const { fake, result } = await brokenRun(failing("container"));
  expect(result).toMatchObject({
    kind: "unreachable",
    message: expect.stringMatching(/^the engine does not say how the container kiln-module-first-\w+ stands/) as string,
    mend: expect.stringContaining("state in the container is saved first") as string,
  });
  expect((await fake.calls("container")).length).toBeGreaterThan(15);
});

test("a container that somebody removed is not waited for", async () => {
  const { fake, result } = await brokenRun(failing("container", "Error response from daemon: No such container: x"));
  expect(result).toMatchObject({ message: expect.stringContaining("No such container") as string });
  expect(await fake.calls("container")).toHaveLength(1);
});

test("a state that cannot be written stays in its container until it can", async () => {
  const { fake, folder, result, next, files } = await brokenRun(({ folder }) => {
    mkdirSync(path.join(folder, "state.json"));
  });
  expect(result).toMatchObject({
    response: {
      success: false,
      error: expect.stringContaining(`the new state could not be saved in ${folder}: EISDIR`) as string,
      error_detail: { code: "internal" },
    },
    container: { kept: true },
  });
  expect(await files()).toContain("lock.json");
  await expect(next()).rejects.toThrow("EISDIR");
  expect(await fake.containers()).toEqual([FIRST]);
  rmSync(path.join(folder, "state.json"), { recursive: true });
  expect((await next()).state).toMatchObject({ serial: 2 });
  expect(await fake.containers()).toEqual([]);
});

test("a history that cannot be written is a note: state is saved, container and lock are gone", async () => {
  const { fake, result, notes, files, readState } = await brokenRun(({ folder }) => {
    mkdirSync(path.join(folder, "runs/first/response.json"));
  });
  expect(result).toMatchObject({ response: { success: true }, state: { serial: 1 }, container: { kept: false } });
  expect(notes.join()).toMatch(/the response of the run is not kept in .*runs\/first/);
  expect(await readState()).toMatchObject({ serial: 1 });
  expect(await fake.containers()).toEqual([]);
  expect(await files()).not.toContain("lock.json");
});

test("state comes first, then history, then the container, then the lock", async () => {
  const fake = await fakeDocker();
  const directory = await temporaryDirectory();
  let whenRecorded: readonly string[] = [];
  const end = vi.spyOn(RunHistory.prototype, "end").mockImplementationOnce(async function (this: RunHistory, ...args) {
    whenRecorded = await readdir(path.join(directory, "s"));
    return this.end(...args);
  });
  onTestFinished(() => {
    end.mockRestore();
  });
  // What `docker rm` finds is what is saved by then.
  await fake.spy("rm", `ls ${directory}/s ${directory}/s/runs/first`);
  await fake.execute({ request: REQUEST, state: { directory } });
  const found = (await readFile(path.join(fake.home, "spied-rm"), "utf8")).split("\n");
  expect(found).toEqual(expect.arrayContaining(["state.json", "response.json", "lock.json"]));
  expect(whenRecorded).toContain("state.json");
});

test("a state that is refused and stands in no history is in the container; the next run says so once", async () => {
  const scenario = { state: { stack: "other" } };
  const { fake, folder, result, next } = await brokenRun(
    ({ folder }) => {
      mkdirSync(path.join(folder, "runs/first/response.json"));
    },
    { scenario },
  );
  expect(result).toMatchObject({ response: { error_detail: { code: "state_mismatch" } }, container: { kept: true } });
  rmSync(path.join(folder, "runs/first/response.json"), { recursive: true });
  await expect(next()).rejects.toThrow("it is of the stack other");
  expect(await readFile(path.join(folder, "runs/first/response.json"), "utf8")).toContain('"other"');
  expect(await fake.containers()).toEqual([]);
  expect((await next()).state).toMatchObject({ serial: 1 });
});

test("what can never be read is a person's to look at: the stack waits until the container is removed", async () => {
  const scenario = { silent: true, link: "/nowhere", dies: 0 };
  const { fake, next } = await brokenRun(() => undefined, { scenario });
  await expect(next()).rejects.toMatchObject({
    message: expect.stringMatching(
      /run first left the container kiln-module-first-\w+ with state in it, but/,
    ) as string,
    mend: expect.stringMatching(/docker rm --volumes --force kiln-module-first-\w+,/) as string,
  });
  rmSync(await fake.folderOf("first"), { recursive: true });
  expect((await next()).response.success).toBe(true);
});

it.each([
  ["a preview", { ...REQUEST, action: "preview" }],
  ["a run with state elsewhere", { ...REQUEST, state_mode: "remote" }],
] as const)("%s has no state to lose: its container goes, whatever its response is", async (_, request) => {
  const { fake, result, files } = await brokenRun(failing("cp"), { request });
  expect(result).toMatchObject({ response: { success: false }, container: { kept: false } });
  expect(await fake.containers()).toEqual([]);
  expect(await files()).not.toContain("lock.json");
});

test("without a state directory the container with the caller's state is kept, and named", async () => {
  const fake = await fakeDocker({ runMs: 150 });
  const notes: string[] = [];
  const result = await fake.execute({
    request: REQUEST,
    secrets: { stateKey: Buffer.alloc(32, 1) },
    progress: { step: () => undefined, update: () => undefined, note: (text) => void notes.push(text) },
    onEvent: ({ phase }) => {
      if (phase === "running") failing("cp")({ fake });
    },
  });
  expect(result.container.kept).toBe(true);
  expect(notes.join()).toContain(`docker cp ${result.container.name}:/workspace/output.json .`);
});
