import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { takeRunLock } from "../../../execution/run-lock.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

vi.setConfig({ testTimeout: 60_000 });

const MODULE = path.resolve(import.meta.dirname, "../../../execution/run-lock.ts");
const ROUNDS = 6;

/** A process that has `take` for a lock, and runs a script with it. Gives what it prints. */
function locker(file: string, script: string) {
  const prelude = `
    import { readdirSync, rmSync, writeFileSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    import { takeRunLock } from ${JSON.stringify(MODULE)};
    const progress = { step() {}, update() {}, note() {} };
    const take = (runId) => takeRunLock({
      file: ${JSON.stringify(file)}, what: "the stack s", progress,
      run: { run_id: runId, container: "c-" + runId, instance: "i-" + runId, engine: "", engine_id: "e" },
      settle: async () => {},
    });`;
  const args = ["--no-warnings", "--input-type=module", "-e", `${prelude}\n${script}`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  return { child, ended: once(child, "close"), printed: () => printed };
}

test("of two processes at a lock one has it at a time, and both come to their turn", async () => {
  const folder = await temporaryDirectory();
  const inside = path.join(folder, "inside");
  // Both begin once both are there.
  const turns = `
    writeFileSync(${JSON.stringify(folder)} + "/ready-" + process.pid, "");
    while (readdirSync(${JSON.stringify(folder)}).filter((name) => name.startsWith("ready-")).length < 2) await sleep(2);
    for (let round = 0; round < ${ROUNDS};) {
      let lock;
      try { lock = await take(process.pid + "-" + round); } catch (error) {
        if (!/^the stack s is locked by/.test(error.message)) throw error;
        await sleep(2);
        continue;
      }
      // Fails where somebody else is inside.
      writeFileSync(${JSON.stringify(inside)}, "", { flag: "wx" });
      await sleep(30);
      rmSync(${JSON.stringify(inside)});
      await lock.release();
      round++;
      await sleep(4);
    }
    console.log("done");`;
  const both = [1, 2].map(() => locker(path.join(folder, "lock.json"), turns));
  await Promise.all(both.map(({ ended }) => ended));
  expect(both.map(({ printed }) => printed())).toEqual(["done\n", "done\n"]);
});

const runOf = (instance: string, id = instance) => {
  return { run_id: id, container: "c", instance, engine: "", engine_id: "e" };
};
const mine = (file: string, settle: (left: string | undefined) => void) =>
  takeRunLock({
    ...{ file, what: "the stack s", run: runOf("mine"), progress: silent },
    settle: async ({ left }) => {
      settle(left);
      return Promise.resolve();
    },
  });

test("the lock of a process that lives is refused; once that is killed it is settled and taken over", async () => {
  const file = path.join(await temporaryDirectory(), "lock.json");
  const { child, ended, printed } = locker(file, 'await take("theirs"); console.log("held"); await sleep(60_000);');
  while (!printed().includes("held")) await sleep(10);
  const settled: unknown[] = [];
  await expect(mine(file, (left) => settled.push(left))).rejects.toThrow(`locked by run theirs (process ${child.pid}`);
  child.kill("SIGKILL");
  await ended;
  const lock = await mine(file, (left) => settled.push(left));
  expect(settled).toEqual([undefined]);
  await lock.release();
});

test("a lock that was left is settled though its process lives; one that was taken over is not given up by its first owner", async () => {
  const file = path.join(await temporaryDirectory(), "lock.json");
  const settled: unknown[] = [];
  const first = await mine(file, () => undefined);
  await first.leave("the disk is full");
  const second = await takeRunLock({
    ...{ file, what: "the stack s", run: runOf("second"), progress: silent },
    settle: async ({ left }) => Promise.resolve(void settled.push(left)),
  });
  expect(settled).toEqual(["the disk is full"]);
  await first.release();
  await first.leave("again");
  expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ run_id: "second" });
  expect(JSON.parse(await readFile(file, "utf8"))).not.toHaveProperty("left");
  await second.release();
  await expect(readFile(file)).rejects.toThrow("ENOENT");
});

test("what settling throws keeps the lock, and a file that is no lock is not taken for none", async () => {
  const file = path.join(await temporaryDirectory(), "lock.json");
  const first = await mine(file, () => undefined);
  await first.leave("the disk is full");
  const fail = () => {
    throw new Error("still full");
  };
  await expect(mine(file, fail)).rejects.toThrow("still full");
  expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ left: "the disk is full" });
  await writeFile(file, "{");
  await expect(mine(file, () => undefined)).rejects.toThrow("is no lock that kiln wrote");
});

test("a lock that another run with the same id took over is not given up by its first owner", async () => {
  const file = path.join(await temporaryDirectory(), "lock.json");
  const take = (instance: string) =>
    takeRunLock({
      ...{ file, what: "the stack s", run: runOf(instance, "same"), progress: silent },
      settle: async () => Promise.resolve(),
    });
  const first = await take("one");
  await first.leave("the disk is full");
  const second = await take("two");
  await first.release();
  expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ instance: "two" });
  await second.release();
});
