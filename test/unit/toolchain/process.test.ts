import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { markOf } from "../../../toolchain/lock.ts";
import { lastLines, run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

test("returns exit code and both outputs", async () => {
  const result = await run("sh", ["-c", "cat; echo err >&2; exit 3"], { input: "in", allowFailure: true });
  expect(result).toEqual({ code: 3, stdout: "in", stderr: "err\n" });
});

test("a failure says which command, its exit code and what it printed last", async () => {
  const failing = run("sh", ["-c", "echo first; echo the reason >&2; exit 7"]);
  await expect(failing).rejects.toMatchObject({ kind: "failed" });
  await expect(failing).rejects.toThrow(/^sh -c .*exited with 7:\nthe reason$/s);
});

test("a program that does not exist is unreachable", async () => {
  await expect(run("no-such-program", [])).rejects.toMatchObject({ kind: "unreachable" });
});

test("lines are told as they come", async () => {
  const lines: string[] = [];
  await run("sh", ["-c", "echo a; echo b"], { onStdoutLine: (line) => lines.push(line) });
  expect(lines).toEqual(["a", "b"]);
});

test("input comes from a stream as well, and a reader that ends before it has all of it says why by its exit code", async () => {
  const parts = () => Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(65536, "x")));
  const counted = await run("sh", ["-c", "wc -c"], { input: parts() });
  expect(counted.stdout.trim()).toBe("6553600");
  const early = await run("sh", ["-c", "exit 3"], { input: parts(), allowFailure: true });
  expect(early.code).toBe(3);
});

test("a stream of input that breaks off ends the child, and its error is what is thrown", async () => {
  const file = path.join(await temporaryDirectory(), "pid");
  const input = Readable.from(
    (async function* () {
      yield Buffer.from("x");
      while ((await readFile(file, "utf8").catch(() => "")) === "") await sleep(20);
      throw new Error("the file changed while it was read");
    })(),
  );
  const script = `echo $$ > ${file}.new; mv ${file}.new ${file}; cat > /dev/null; sleep 60`;
  await expect(run("sh", ["-c", script], { input })).rejects.toThrow("the file changed while it was read");
  expect(markOf(Number(await readFile(file, "utf8")))).toBeUndefined();
});

test("a line of 600 MB, which is longer than texts can be, comes as several", async () => {
  const script = "head -c 600000000 /dev/zero | tr '\\\\0' a";
  let length = 0;
  await run("sh", ["-c", script], { discardOutput: true, onStdoutLine: (line) => (length += line.length) });
  expect(length).toBe(600_000_000);
});

test("a file takes output up to its limit, and no more", async () => {
  const outputFile = path.join(await temporaryDirectory(), "out");
  const printing = (bytes: number) =>
    run("sh", ["-c", `head -c ${bytes} /dev/zero`], { outputFile, outputLimit: 100_000 });
  await printing(100_000);
  expect((await stat(outputFile)).size).toBe(100_000);
  await expect(printing(10_000_000_000)).rejects.toThrow("more of it than the 100000 bytes");
  expect((await stat(outputFile)).size).toBeLessThanOrEqual(100_000);
});

test("output that is not kept still comes line by line", async () => {
  const lines: string[] = [];
  const result = await run("sh", ["-c", "echo a; echo b >&2"], {
    ...{ discardOutput: true, onStdoutLine: (line: string) => lines.push(line) },
    onStderrLine: (line) => lines.push(line),
  });
  expect(result).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(lines.sort()).toEqual(["a", "b"]);
});

test("an abort ends the children of the child too", async () => {
  const file = path.join(await temporaryDirectory(), "pid");
  const stop = new AbortController();
  const running = run("sh", ["-c", `sleep 60 & echo $! > ${file}.new; mv ${file}.new ${file}; wait`], {
    signal: stop.signal,
  });
  const refused = expect(running).rejects.toMatchObject({ kind: "interrupted" });
  let pid = Number.NaN;
  while (Number.isNaN(pid)) {
    await sleep(20);
    pid = Number(await readFile(file, "utf8").catch(() => Number.NaN));
  }
  expect(markOf(pid)).toBeDefined();
  stop.abort();
  await refused;
  for (let tries = 0; markOf(pid) !== undefined && tries < 100; tries++) await sleep(20);
  expect(markOf(pid)).toBeUndefined();
});

test("lastLines leaves trailing blank lines out", () => {
  expect(lastLines("a\nb\nc\n\n", 2)).toBe("b\nc");
});
