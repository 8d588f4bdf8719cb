import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { silent } from "../../../progress.ts";
import { markOf, withLock } from "../../../toolchain/lock.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

let home: string;
let lock: string;

beforeEach(async () => {
  home = await temporaryDirectory();
  lock = path.join(home, "a.lock");
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
  await writeFile(lock, JSON.stringify({ pid: Number(stdout), started: "1" }));
  await Promise.all(["a", "b"].map(holder));
  const lines = await trace();
  expect(lines).toHaveLength(4);
  expect(takesTurns(lines)).toBe(true);
});

test.skipIf(process.platform !== "linux")("a process that only has the same id is not the owner", async () => {
  await writeFile(lock, JSON.stringify({ pid: process.pid, started: "1" }));
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

test("a process that does not run has no mark", () => {
  expect(markOf(process.pid)?.pid).toBe(process.pid);
  expect(markOf(2 ** 30)).toBeUndefined();
});
