import { describe, expect, it } from "vitest";
import { longestFirst } from "../../../cache/longest-first.ts";

describe("longestFirst", () => {
  const packages = [
    { ImportPath: "fmt", Standard: true },
    { ImportPath: "core.io/core", Imports: ["fmt"] },
    { ImportPath: "sdk.io/big", Imports: ["core.io/core"] },
    { ImportPath: "sdk.io/middle", Imports: ["core.io/core"] },
    { ImportPath: "sdk.io/after", Imports: ["sdk.io/middle"] },
    { ImportPath: "m/one", Imports: ["sdk.io/big", "sdk.io/after"] },
  ];
  const costs = { fmt: 9, "core.io/core": 2, "sdk.io/big": 50, "sdk.io/middle": 30, "sdk.io/after": 25, "m/one": 0.2 };

  it("names dear packages by what is still to be compiled from them on, each before what imports it", () => {
    expect(longestFirst(packages, costs)).toEqual(["core.io/core", "sdk.io/middle", "sdk.io/big", "sdk.io/after"]);
  });

  it("names none where all of them cost nothing, or about the same little", () => {
    expect(longestFirst(packages, {})).toEqual([]);
    expect(longestFirst(packages, { "sdk.io/big": 0.05, "m/one": 0.05 })).toEqual([]);
  });
});
