import { expect, it } from "vitest";
import { foreignLabel } from "../../../../release/workflow/foreign-label.ts";

it.each([
  [["ubuntu-24.04"], undefined],
  [["ubuntu-24.04-arm"], "ubuntu-24.04-arm"],
  [["self-hosted", "linux", "ARM64"], "ARM64"],
  [["dev-arm64-platform-bake-lane-0"], "dev-arm64-platform-bake-lane-0"],
  [["farm-lane-0", "army"], undefined],
  [[], undefined],
])("of %j the label %j is for another machine than one of amd64", (labels, foreign) => {
  expect(foreignLabel(labels, "linux/amd64")).toBe(foreign);
  expect(foreignLabel(labels, "linux/arm64")).toBeUndefined();
});
