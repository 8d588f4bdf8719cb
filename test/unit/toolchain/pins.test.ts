import { expect, test } from "vitest";
import raw from "../../../toolchain/pins.json" with { type: "json" };
import {
  OPTIONAL_TOOLS,
  pins,
  platformName,
  readPins,
  TEST_TOOLS,
  toolVersions,
  TOOLS,
} from "../../../toolchain/pins.ts";

const ALL = [...TOOLS, ...TEST_TOOLS, ...OPTIONAL_TOOLS];

test.each(ALL)("%s can be had without an official download", (tool) => {
  const pin = pins[tool];
  expect(pin.goModule ?? pin.goToolchain).toBeDefined();
});

test.each(ALL)("%s names its version in every route, so that one edit cannot be forgotten", (tool) => {
  const pin = pins[tool];
  for (const { url } of Object.values(pin.downloads)) expect(url).toContain(pin.version);
  if (pin.goModule) {
    expect(pin.goModule.version).toBe(`v${pin.version}`);
    expect(`${pin.goModule.package}/`.startsWith(`${pin.goModule.module}/`)).toBe(true);
    // What stands beside Kubernetes in its repository has its minor and patch version, as v0.
    if (pin.goModule.staging !== undefined) expect(pin.goModule.staging).toBe(`v${pin.version}`.replace(/^v1/, "v0"));
    for (const value of Object.values(pin.goModule.set ?? {}))
      expect([`v${pin.version}`, pin.version, "no"]).toContain(value);
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

test("the tools of a control plane are of one version", () => {
  const versions = TEST_TOOLS.filter((tool) => tool.startsWith("kube")).map((tool) => pins[tool].version);
  expect(versions.length).toBeGreaterThan(3);
  expect(new Set(versions).size).toBe(1);
});

test("what may be run and not shipped is a tool of tests alone", () => {
  const kept = ALL.filter((tool) => pins[tool].licence !== undefined);
  expect(kept).toEqual(["vault"]);
  expect(TEST_TOOLS).toEqual(expect.arrayContaining(kept));
});

test("a staging version that is none is refused with its key path", () => {
  const broken = structuredClone(raw);
  broken.kubelet.goModule.staging = "latest";
  expect(() => readPins(broken)).toThrow("kubelet.goModule.staging");
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
