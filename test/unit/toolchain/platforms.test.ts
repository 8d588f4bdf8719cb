import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { emulatedPlatforms, emulationFinding, howItRuns, platformRefusal } from "../../../toolchain/platforms.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const HERE = { architecture: "amd64", address: "unix:///var/run/docker.sock" };
const THERE = { architecture: "amd64", address: "ssh://build.example" };
const arm = () => Promise.resolve(["linux/arm64"]);
const none = () => Promise.resolve([]);

async function binfmt(entry: string): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, "qemu-aarch64"), entry);
  return directory;
}

test.each([
  ["enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: POF\noffset 0\n", ["linux/arm64"]],
  ["disabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: F\n", []],
  // Without F the interpreter is looked up inside the container, where it is not.
  ["enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OC\n", []],
])("of %j containers run %j", async (entry, platforms) => {
  expect(await emulatedPlatforms(await binfmt(entry))).toEqual(platforms);
});

test("a kernel without binfmt_misc emulates nothing", async () => {
  expect(await emulatedPlatforms("/nowhere")).toEqual([]);
});

test("an engine runs its own platform, and this machine's engine also what this kernel emulates", async () => {
  expect(await howItRuns("linux/amd64", HERE, none)).toBe("native");
  expect(await howItRuns("linux/arm64", HERE, arm)).toBe("emulated");
  expect(await howItRuns("linux/arm64", HERE, none)).toBeUndefined();
  expect(await howItRuns("linux/arm64", THERE, arm)).toBeUndefined();
  expect(await howItRuns("linux/arm64", { ...THERE, architecture: "arm64" }, none)).toBe("native");
});

test("a platform that cannot run is refused with what would mend it, and with what works without", async () => {
  const refusal = await platformRefusal("linux/arm64", HERE, none);
  expect(refusal?.reason).toContain("linux/arm64");
  expect(refusal?.mend).toContain("qemu-user-static");
  expect(refusal?.mend).toContain("--platform linux/arm64");
  expect(await platformRefusal("linux/arm64", HERE, arm)).toBeUndefined();
});

test("missing emulation blocks nothing", async () => {
  expect(await emulationFinding(none, "linux/amd64")).toMatchObject({
    status: "missing",
    version: "linux/arm64",
    blocks: false,
  });
  expect(await emulationFinding(arm, "linux/amd64")).toMatchObject({ status: "ok", version: "linux/arm64" });
  expect(await emulationFinding(arm, "linux/arm64")).toMatchObject({ status: "missing", version: "linux/amd64" });
});
