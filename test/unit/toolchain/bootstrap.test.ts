import { mkdir, utimes, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { isOlder, nodePin, packagesAreCurrent } from "../../../toolchain/bootstrap.mjs";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

test.each([
  ["20.20.2", "22.18.0", true],
  ["22.9.0", "22.18.0", true],
  ["22.18.0", "22.18.0", false],
  ["v22.18.1", "22.18.0", false],
  ["24.0.0", "22.18.0", false],
  ["23.0.0-nightly20250101", "22.18.0", false],
  ["9.11.2", "22.18.0", true],
])("Node %s is older than %s: %s", (version, minimum, older) => {
  expect(isOlder(version, minimum)).toBe(older);
});

test("the pinned Node satisfies the minimum, and every carrier has a hash", () => {
  const pin = nodePin();
  expect(isOlder(pin.version, pin.minimum)).toBe(false);
  expect(Object.keys(pin.packages)).toEqual(["linux-amd64", "linux-arm64"]);
  for (const { integrity } of Object.values(pin.packages)) expect(integrity).toMatch(/^sha512-[\w+/]{86}==$/);
});

let project: string;
const EARLY = new Date(1_700_000_000_000);
const LATE = new Date(1_700_000_100_000);

beforeEach(async () => {
  project = await temporaryDirectory();
  await write("package-lock.json", "the lock", EARLY);
});

async function write(name: string, text: string, time: Date): Promise<void> {
  const file = path.join(project, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await utimes(file, time, time);
}

test("packages that were never installed are not current", () => {
  expect(packagesAreCurrent(project)).toBe(false);
});

test("packages that npm installed after the lock file changed are current", async () => {
  await write("node_modules/.package-lock.json", "{}", LATE);
  expect(packagesAreCurrent(project)).toBe(true);
});

test("packages older than the lock file are not current", async () => {
  await write("node_modules/.package-lock.json", "{}", EARLY);
  await write("package-lock.json", "another lock", LATE);
  expect(packagesAreCurrent(project)).toBe(false);
});

test("a lock file that only has a newer time, as after a checkout, costs no installation", async () => {
  await write("node_modules/.package-lock.json", "{}", EARLY);
  await write("node_modules/.kiln-lock", createHash("sha256").update("the lock").digest("hex"), EARLY);
  await write("package-lock.json", "the lock", LATE);
  expect(packagesAreCurrent(project)).toBe(true);
  await write("package-lock.json", "another lock", LATE);
  expect(packagesAreCurrent(project)).toBe(false);
});
