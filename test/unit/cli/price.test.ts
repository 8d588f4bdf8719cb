import { describe, expect, it } from "vitest";
import type { Price } from "../../../cache/price.ts";
import { priceMarkdown, priceText } from "../../../cli/cache/price.ts";

const NOTHING: Price = {
  ...{ differences: [], packages: [], layers: [], programs: [], seconds: { compile: 0, link: 0 }, bytes: 0, pushed: 0 },
};

const PRICE: Price = {
  ...NOTHING,
  packages: [
    { key: "aws@v2", reason: "new", layer: "aws", seconds: 24, bytes: 120e6, measured: true },
    { key: "./m/a|b", reason: "imports", layer: "aws", seconds: 0.3, bytes: 3.5e6, measured: false },
  ],
  layers: [
    { name: "common", compiled: 0, seconds: 0, bytes: 0, dropped: 0, pushed: 0 },
    { name: "aws", compiled: 2, seconds: 24.3, bytes: 123.5e6, dropped: 1, pushed: 20e6 },
  ],
  programs: ["m/a"],
  seconds: { compile: 24.3, link: 1.6 },
  bytes: 123.5e6,
  pushed: 20e6,
};

const HEAD =
  "2 packages to compile, 24s of CPU time (1 of them measured), 124 MB; 1 program to link, 1.6s; about 20 MB to push";

describe("priceText", () => {
  it("has one line, then the layers that change, then the packages", () => {
    expect(priceText(PRICE, "image")).toBe(
      [
        HEAD,
        "",
        "layer  compiled  CPU time  archives  dropped  to push, about",
        "aws    2         24s       124 MB    1        20 MB",
        "",
        "package  layer  why                   CPU time  archive",
        "aws@v2   aws    new                   24s       120 MB",
        "./m/a|b  aws    imports one of these  0.3s      3.5 MB",
      ].join("\n"),
    );
  });

  it("says so where nothing changes, and why where everything does", () => {
    expect(priceText(NOTHING, "image")).toBe("Nothing to compile: image has all of it.");
    const all = priceText({ ...PRICE, differences: ["Go version: 1, 2"] }, "image");
    expect(all).toContain("Everything, since image was warmed differently: Go version: 1, 2");
  });

  it("names the dearest of many", () => {
    const packages = Array.from({ length: 20 }, () => PRICE.packages).flat();
    expect(priceText({ ...PRICE, packages }, "image")).toMatch(/and 25 more \(--json lists all\)$/);
  });
});

describe("priceMarkdown", () => {
  it("is a comment with tables that no name breaks", () => {
    expect(priceMarkdown(PRICE, "image")).toBe(
      [
        `**${HEAD}**`,
        "",
        "| layer | compiled | CPU time | archives | dropped | to push, about |",
        "| --- | --- | --- | --- | --- | --- |",
        "| aws | 2 | 24s | 124 MB | 1 | 20 MB |",
        "",
        "<details><summary>2 packages</summary>",
        "",
        "| package | layer | why | CPU time | archive |",
        "| --- | --- | --- | --- | --- |",
        "| aws@v2 | aws | new | 24s | 120 MB |",
        "| ./m/a\\|b | aws | imports one of these | 0.3s | 3.5 MB |",
        "",
        "</details>",
      ].join("\n"),
    );
  });
});
