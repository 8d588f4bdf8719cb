import { expect, test } from "vitest";
import raw from "../../../toolchain/pins.json" with { type: "json" };
import { pins, platformName, readPins, toolVersions, TOOLS } from "../../../toolchain/pins.ts";

test.each(TOOLS)("%s can be had without an official download", (tool) => {
  const pin = pins[tool];
  expect(pin.goModule ?? pin.goToolchain).toBeDefined();
});

test.each(TOOLS)("%s names its version in every route, so that one edit cannot be forgotten", (tool) => {
  const pin = pins[tool];
  for (const { url } of Object.values(pin.downloads)) expect(url).toContain(pin.version);
  if (pin.goModule) {
    expect(pin.goModule.version).toBe(`v${pin.version}`);
    expect(pin.goModule.package.startsWith(`${pin.goModule.module}/`)).toBe(true);
    for (const value of Object.values(pin.goModule.set ?? {})) expect([`v${pin.version}`, "no"]).toContain(value);
  }
  if (pin.goToolchain !== undefined) {
    expect(pin.goToolchain.name).toBe(`go${pin.version}`);
    for (const { url, member } of Object.values(pin.goToolchain.archives)) {
      expect(url).toContain(`go${pin.version}.`);
      expect(member).toMatch(new RegExp(`@v0.0.1-go${pin.version}.linux-[a-z0-9]+/bin/go$`));
    }
  }
});

test("the versions that enter images are those of the tools", () => {
  expect(toolVersions).toEqual({ go: pins.go.version, pulumi: pins.pulumi.version, opentofu: pins.opentofu.version });
});

test("a short checksum is refused with its key path", () => {
  const broken = structuredClone(raw);
  broken.regctl.downloads["linux-amd64"].sha256 = "c93aa763";
  expect(() => readPins(broken)).toThrow("regctl.downloads.linux-amd64.sha256");
});

test("a missing tool is refused by name", () => {
  expect(() => readPins({ ...raw, pulumi: undefined })).toThrow("pulumi must be an object, found nothing");
});

test.each([
  ["linux", "x64", "linux-amd64"],
  ["linux", "arm64", "linux-arm64"],
  ["darwin", "arm64", "darwin-arm64"],
])("%s %s is %s", (platform, arch, name) => {
  expect(platformName(platform, arch)).toBe(name);
});
