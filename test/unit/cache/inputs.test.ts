import { mkdtemp, rename, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { inputsKey } from "../../../cache/inputs.ts";
import { CONTRACT, writeText } from "./cache-directory.ts";

const PROGRAMS = ["aws", "gcp"].map((provider) => ({
  ...{ provider, module: "x", directory: `go/m/${provider}/x` },
  goModule: provider === "aws" ? "go" : "go/m/gcp",
}));
const RECIPE = ["debian:12", "go 1.26.8"];

let source: string;

beforeEach(async () => {
  source = await mkdtemp(path.join(tmpdir(), "kiln-inputs-"));
  await write("go/go.mod", "module example.com/repository\n");
  await write("go/m/aws/x/main.go", "package main\n");
  await write("go/internal/lib.go", "package internal\n");
  await write("go/m/gcp/go.mod", "module example.com/gcp\n");
  await write("go/m/gcp/x/main.go", "package main\n");
  await write("go/embedding/e.go", 'package embedding\n\nimport _ "embed"\n\n//go:embed deep\nvar deep string\n');
  await write("README.md", "one\n");
  return () => rm(source, { recursive: true });
});

const write = (file: string, text: string) => writeText(path.join(source, file), text);
const key = () => inputsKey(source, PROGRAMS, CONTRACT, RECIPE);

describe("inputsKey", () => {
  it.each<[string, () => Promise<unknown>]>([
    ["a program's source", () => write("go/m/aws/x/main.go", "package main // edited\n")],
    ["a package of the same Go module", () => write("go/internal/lib.go", "package internal // edited\n")],
    ["another Go module's program", () => write("go/m/gcp/x/main.go", "package main // edited\n")],
    ["a go.mod", () => write("go/go.mod", "module example.com/repository\n\ngo 1.26\n")],
    ["a new go.sum", () => write("go/go.sum", "")],
    ["a file below one that embeds", () => write("go/embedding/deep/policy.json", "{}")],
    ["a profile for the compiler", () => write("go/m/aws/x/default.pgo", "profile")],
    ["a removed file", () => rm(path.join(source, "go/internal/lib.go"))],
    ["a file's name", () => rename(path.join(source, "go/internal/lib.go"), path.join(source, "go/internal/b.go"))],
    ["what moves from one file to the next", () => write("go/go.mod", "")],
  ])("changes with %s", async (_, change) => {
    const before = await key();
    await change();
    expect(await key()).not.toBe(before);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["files that no build reads", () => write("go/m/aws/x/policy.json", "{}")],
    ["files outside every Go module", () => write("README.md", "two\n")],
    ["Git's own files", () => write("go/.git/HEAD", "ref")],
    ["kiln's own files", () => write("go/.kiln/store/x", "1")],
    ["npm packages", () => write("go/node_modules/a/index.js", "1")],
    ["times", () => utimes(path.join(source, "go/m/aws/x/main.go"), 1, 1)],
  ])("does not change with %s", async (_, change) => {
    const before = await key();
    await change();
    expect(await key()).toBe(before);
  });

  it("changes with contract, recipe and the programs that are asked for", async () => {
    const keys = await Promise.all([
      key(),
      inputsKey(source, PROGRAMS, { ...CONTRACT, goVersion: "go1.26.7" }, RECIPE),
      inputsKey(source, PROGRAMS, CONTRACT, [...RECIPE, "linux/arm64"]),
      inputsKey(source, PROGRAMS, CONTRACT, RECIPE.toReversed()),
      inputsKey(source, PROGRAMS.slice(0, 1), CONTRACT, RECIPE),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("is the same wherever the source stands", async () => {
    const before = await key();
    const moved = `${source}-moved`;
    await rename(source, moved);
    source = moved;
    expect(await key()).toBe(before);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
  });

  it("tells content apart from the names of further files", async () => {
    await write("go/z.go", "one\ngo/zz.go\ntwo");
    const before = await key();
    await write("go/z.go", "one");
    await write("go/zz.go", "two");
    expect(await key()).not.toBe(before);
  });
});
