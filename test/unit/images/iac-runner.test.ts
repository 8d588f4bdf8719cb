import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { buildContract, IMAGE_PATHS } from "../../../cache/contract.ts";
import { pins, toolVersions } from "../../../toolchain/pins.ts";

const FOLDER = path.join(import.meta.dirname, "../../../images/iac-runner");
const dockerfile = await readFile(path.join(FOLDER, "Dockerfile"), "utf8");
const merged = await readFile(path.join(FOLDER, "Dockerfile.merged"), "utf8");

const argument = (name: string) => new RegExp(`^ARG ${name}="?(.*?)"?$`, "m").exec(dockerfile)?.[1];

describe("images/iac-runner/Dockerfile", () => {
  it.each(["go", "pulumi", "opentofu"] as const)("downloads the pinned %s, by its pinned checksum", (tool) => {
    const name = tool.toUpperCase();
    expect(argument(`${name}_VERSION`)).toBe(toolVersions[tool]);
    expect(argument(`${name}_SHA256`)).toBe(pins[tool].downloads["linux-amd64"]?.sha256);
  });

  it("warms a standalone image with the flags of its Pulumi", () => {
    const flags = buildContract(toolVersions, "amd64").flags.map((flag) => (flag.includes(" ") ? `'${flag}'` : flag));
    expect(argument("GO_BUILD_FLAGS")).toBe(flags.join(" "));
  });

  it("has the caches and Go where they are warmed for", () => {
    expect(dockerfile).toContain(`GOMODCACHE=${IMAGE_PATHS.goModCache}`);
    expect(dockerfile).toContain(`GOCACHE=${IMAGE_PATHS.goBuildCache}`);
    expect(dockerfile).toContain(`${IMAGE_PATHS.goRoot}/go.env`);
  });

  it("needs no frontend from a registry", () => {
    expect(dockerfile + merged).not.toMatch(/^# *syntax=/m);
  });
});

describe("images/iac-runner/Dockerfile.merged", () => {
  it("adds no layer: FROM, ARG and LABEL only", () => {
    const instructions = merged
      .replaceAll("\\\n", " ")
      .split("\n")
      .filter((line) => line.trim() !== "" && !line.startsWith("#"))
      .map((line) => line.split(" ", 1)[0]);
    expect(instructions).toEqual(["ARG", "FROM", "ARG", "LABEL"]);
  });
});
