import { expect, it } from "vitest";
import { bytesOf, gibibytes } from "../../../../runners/cache/quantity.ts";

it.each([
  ["1", 1],
  ["1k", 1000],
  ["1Ki", 1024],
  ["100Gi", 107_374_182_400],
  ["100G", 100_000_000_000],
  ["1.5Ti", 1_649_267_441_664],
  ["0.5Ki", 512],
])("%s is %d bytes", (quantity, bytes) => {
  expect(bytesOf(quantity)).toBe(bytes);
});

it.each([
  "",
  "0",
  "0Gi",
  "Gi",
  "-1Gi",
  "100GB",
  "100 Gi",
  "100gi",
  "1e3",
  "100m",
  "0.3",
  "1.",
  ".5Gi",
  "9999999Pi",
  "NaN",
])("%j is no size", (text) => {
  expect(bytesOf(text)).toBeUndefined();
});

it("says bytes as people do", () => {
  expect([80 * 2 ** 30, 1.5 * 2 ** 30].map(gibibytes)).toEqual(["80 GiB", "1.5 GiB"]);
});
