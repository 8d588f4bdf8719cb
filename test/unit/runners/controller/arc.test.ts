import { expect, it } from "vitest";
import { ARC_VERSION, hasPatch, requireLockstep } from "../../../../runners/controller/arc.ts";

const KEY = "stacks/Pulumi.dev.yaml: kiln:controller.version";

it.each([ARC_VERSION, "0.14.0", "0.14.99", "v0.14.1", "0.14.2-rc.1"])("lets a controller of %s pass", (version) => {
  expect(() => {
    requireLockstep(version, KEY);
  }).not.toThrow();
});

it.each(["0.13.1", "0.15.0", "1.14.2"])("refuses a controller of %s, which would delete the scale sets", (version) => {
  expect(() => {
    requireLockstep(version, KEY);
  }).toThrow(
    expect.objectContaining({ kind: "usage", message: `${KEY} is "${version}", but scale sets are made for 0.14` }),
  );
});

it.each(["", "latest", "0.14", "0.14.x", "00.14.2 "])("refuses %j, which is no version", (version) => {
  expect(() => {
    requireLockstep(version, KEY);
  }).toThrow(
    expect.objectContaining({ kind: "usage", message: expect.stringContaining("which is no version") as string }),
  );
});

it.each([
  ["0.14.1", 2, false],
  ["0.14.2", 2, true],
  ["v0.14.10", 2, true],
  ["none", 2, false],
])("knows that %s has patch %d: %s", (version, patch, has) => {
  expect(hasPatch(version, patch)).toBe(has);
});
