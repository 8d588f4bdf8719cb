import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { silent } from "../../../progress.ts";
import { runningDaemon, startDaemon, stopDaemon, type Daemon } from "../../../toolchain/daemon.ts";
import { markOf } from "../../../toolchain/lock.ts";
import { registryPort, startRegistry, stopRegistry } from "../../../toolchain/loopback-registry.ts";
import { places } from "../../../toolchain/places.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let home: string;

beforeEach(async () => {
  home = await temporaryDirectory();
});

function daemon(script: string): Daemon {
  const files = { pidFile: path.join(home, "pid.json"), logFile: path.join(home, "log") };
  return { name: "the sleeper", command: "sh", args: ["-c", script], env: process.env, ...files };
}

test("a daemon runs on after it is ready, and is gone when it was stopped", async () => {
  const sleeper = daemon("echo up; exec sleep 60");
  await startDaemon(sleeper, async () => (await readFile(sleeper.logFile, "utf8")).includes("up"));
  const mark = await runningDaemon(sleeper.pidFile);
  expect(mark).toBeDefined();
  expect(await stopDaemon(sleeper.pidFile)).toBe(true);
  expect(markOf(mark?.pid ?? 0)).toBeUndefined();
  expect(await stopDaemon(sleeper.pidFile)).toBe(false);
});

test("a daemon that ends at once is reported with what it said", async () => {
  const failing = startDaemon(daemon("echo no such bridge >&2; exit 1"), () => Promise.resolve(false));
  await expect(failing).rejects.toMatchObject({ kind: "unreachable" });
  await expect(failing).rejects.toThrow(/the sleeper did not start: it ended.*\nno such bridge/);
});

test("a program that does not exist is reported", async () => {
  const failing = startDaemon({ ...daemon(""), command: "/no/such/daemon" }, () => Promise.resolve(true));
  await expect(failing).rejects.toThrow("ENOENT");
});

test.skipIf(process.platform !== "linux")("a process that only has the daemon's old id is left alone", async () => {
  const pidFile = path.join(home, "pid.json");
  await writeFile(pidFile, JSON.stringify({ pid: process.pid, started: "1" }));
  expect(await stopDaemon(pidFile)).toBe(false);
});

test("a registry port that is taken names the config key to change", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  const here = places({ KILN_CACHE_DIR: path.join(home, "cache"), KILN_STATE_DIR: path.join(home, "state") });
  const starting = startRegistry({ places: here, address: `localhost:${port}`, progress: silent });
  await expect(starting).rejects.toMatchObject({
    kind: "unreachable",
    mend: expect.stringContaining("kiln:registry") as string,
  });
  expect(await stopRegistry({ places: here })).toBe(false);
  other.close();
});

test.each(["0.0.0.0:5180", "registry.example:5180", "localhost", "localhost:0", "localhost:70000", "localhost:5180/x"])(
  "%s is no address for the loopback registry",
  (address) => {
    expect(() => registryPort(address)).toThrow("no loopback address");
  },
);

test("localhost and 127.0.0.1 are", () => {
  expect([registryPort("localhost:5180"), registryPort("127.0.0.1:80")]).toEqual([5180, 80]);
});
