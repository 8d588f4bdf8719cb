import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { diagnose, diskFinding, missingTool, nodeFinding } from "../../../toolchain/doctor.ts";
import { isBlocked } from "../../../toolchain/finding.ts";
import { pins, TOOLS } from "../../../toolchain/pins.ts";
import { places } from "../../../toolchain/places.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

test("Node before 22.18 blocks and says what to do", () => {
  const finding = nodeFinding("20.20.2", "/usr/bin/node");
  expect(finding).toMatchObject({ status: "missing", mend: expect.stringContaining("22.18") as string });
  expect(isBlocked([finding])).toBe(true);
  expect(isBlocked([nodeFinding("24.1.0", "/usr/bin/node")])).toBe(false);
});

test("less than 10 GB of free disk space blocks", () => {
  expect(isBlocked([diskFinding(9_999_999_999, "/c")])).toBe(true);
  expect(isBlocked([diskFinding(10_000_000_000, "/c")])).toBe(false);
});

test.each(["linux-amd64", "linux-arm64"])("on %s kiln gets every tool by itself", (platform) => {
  const found = TOOLS.map((name) => missingTool(name, { platform, hasGo: false }));
  expect(isBlocked(found)).toBe(false);
});

test.each(TOOLS)("on macOS, for which nothing is pinned, %s comes by the Go on PATH or by hand", (name) => {
  const byHand = missingTool(name, { platform: "darwin-arm64", hasGo: false });
  expect(byHand).toMatchObject({ status: "missing", blocks: true });
  expect(byHand.mend).toContain(`install ${name} ${pins[name].version} on PATH: none is pinned for darwin-arm64`);
  expect(missingTool(name, { platform: "darwin-arm64", hasGo: true })).toMatchObject({
    ...{ blocks: false, mend: expect.stringContaining("by the Go on PATH") as string },
  });
});

test("looking installs nothing, and a tool that kiln gets by itself does not block", async () => {
  const home = await temporaryDirectory();
  const here = places({ KILN_CACHE_DIR: path.join(home, "cache"), KILN_STATE_DIR: path.join(home, "state") });
  const findings = await diagnose(here, { PATH: "/usr/bin:/bin" });
  const tools = findings.filter((finding) => (TOOLS as readonly string[]).includes(finding.name));
  expect(tools).toHaveLength(TOOLS.length);
  expect(tools.every((finding) => finding.status === "ok" || finding.mend !== undefined)).toBe(true);
  expect(isBlocked(tools)).toBe(false);
  expect(readdirSync(home)).toEqual([]);
});
