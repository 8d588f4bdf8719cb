import { readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silent } from "../../../progress.ts";
import { markOf, thisOwner, withLock } from "../../../toolchain/lock.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

let home: string;
let lock: string;

beforeEach(async () => {
  home = await temporaryDirectory();
  lock = path.join(home, "a.lock");
});

afterEach(() => {
  vi.useRealTimers();
});

/** A process that writes `<name> in`, waits, writes `<name> out`, all while it holds the lock. */
function holder(name: string) {
  const script = `
    import { appendFileSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    import { withLock } from "${ROOT}/toolchain/lock.ts";
    const progress = { step() {}, update() {}, note(text) { appendFileSync("${home}/notes", text + "\\n"); } };
    await withLock("${lock}", progress, "the tool", async () => {
      appendFileSync("${home}/trace", "${name} in\\n");
      await sleep(400);
      appendFileSync("${home}/trace", "${name} out\\n");
    });`;
  return run(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]);
}

async function trace(): Promise<readonly string[]> {
  return (await readFile(path.join(home, "trace"), "utf8")).trim().split("\n");
}

/** Whether everyone that went in came out before the next one went in. */
function takesTurns(lines: readonly string[]): boolean {
  return lines.every((line, at) => at % 2 === 0 || line === lines[at - 1]?.replace(" in", " out"));
}

test("of processes that race, one at a time has the lock, and one that waits says for whom", async () => {
  await Promise.all(["a", "b", "c"].map(holder));
  const lines = await trace();
  expect(lines).toHaveLength(6);
  expect(takesTurns(lines)).toBe(true);
  expect(await readFile(path.join(home, "notes"), "utf8")).toMatch(/^waiting for the tool: process \d+ is at it$/m);
  expect((await readdir(home)).sort()).toEqual(["notes", "trace"]);
});

test("the lock of a dead process is taken over, by one at a time", async () => {
  const { stdout } = await run(process.execPath, ["-p", "process.pid"]);
  await writeFile(lock, JSON.stringify({ ...thisOwner(), pid: Number(stdout), started: "1" }));
  await Promise.all(["a", "b"].map(holder));
  const lines = await trace();
  expect(lines).toHaveLength(4);
  expect(takesTurns(lines)).toBe(true);
});

test.skipIf(process.platform !== "linux")("a process that only has the same id is not the owner", async () => {
  await writeFile(lock, JSON.stringify({ ...thisOwner(), started: "1" }));
  expect(await withLock(lock, silent, "it", () => Promise.resolve("done"))).toBe("done");
});

test("a lock that was broken off half-written is taken over", async () => {
  await writeFile(lock, "");
  expect(await withLock(lock, silent, "it", () => Promise.resolve("done"))).toBe("done");
});

test("work that fails gives the lock back", async () => {
  await expect(withLock(lock, silent, "it", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await readdir(home)).toEqual([]);
});

const AN_AGE_AGO = new Date(Date.now() - 180_000);

/** Owners whose process id says nothing here, though no process, or an unrelated one, has it. */
const FOREIGN = [
  ["another container", { pid: 2 ** 30, space: "boot pid:[1]" }],
  ["another container with the same process id", { space: "boot pid:[1]" }],
  ["another host", { pid: 2 ** 30, host: "elsewhere" }],
  ["an older kiln, which names no place", { pid: 2 ** 30, host: undefined, space: undefined }],
] as const;

test.each(FOREIGN)("a fresh lock of %s is waited for until it grows stale", async (_, owner) => {
  await writeFile(lock, JSON.stringify({ ...thisOwner(), ...owner }));
  const notes: string[] = [];
  let done = false;
  const progress = { ...silent, note: (line: string) => notes.push(line) };
  const waiting = withLock(lock, progress, "the tool", () => Promise.resolve((done = true)));
  await sleep(300);
  expect(done).toBe(false);
  expect(notes).toEqual([
    expect.stringMatching(/^waiting for the tool: process \d+ of another container or host \(.+\) is at it$/),
  ]);
  await utimes(lock, AN_AGE_AGO, AN_AGE_AGO);
  await waiting;
  expect(await readdir(home)).toEqual([]);
});

test("a living process here keeps its lock however old that is", async () => {
  await writeFile(lock, JSON.stringify(thisOwner()));
  await utimes(lock, AN_AGE_AGO, AN_AGE_AGO);
  let done = false;
  const waiting = withLock(lock, silent, "it", () => Promise.resolve((done = true)));
  await sleep(300);
  expect(done).toBe(false);
  await rm(lock);
  await waiting;
});

test("a holder touches its lock while it works", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await withLock(lock, silent, "it", async () => {
    await utimes(lock, AN_AGE_AGO, AN_AGE_AGO);
    vi.advanceTimersByTime(20_000);
    await vi.waitFor(async () => {
      expect((await stat(lock)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
    });
  });
  expect(vi.getTimerCount()).toBe(0);
});

test("the folder of a lock may be removed under the hands of those who wait", async () => {
  const folder = path.join(home, ".kiln");
  const inside = path.join(folder, "a.lock");
  let removing = true;
  const holding = withLock(inside, silent, "it", async () => {
    while (removing) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      await new Promise(setImmediate);
    }
  });
  const waiting = [1, 2, 3].map((one) => withLock(inside, silent, "it", () => Promise.resolve(one)));
  await sleep(500);
  removing = false;
  await holding;
  expect(await Promise.all(waiting)).toEqual([1, 2, 3]);
});

test("a holder that lost its lock leaves the next one's alone", async () => {
  await withLock(lock, silent, "it", async () => {
    await rm(lock);
    await writeFile(lock, "another's");
  });
  expect(await readFile(lock, "utf8")).toBe("another's");
});

test("a process that does not run has no mark", () => {
  expect(markOf(process.pid)?.pid).toBe(process.pid);
  expect(markOf(2 ** 30)).toBeUndefined();
});
