import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageName, readPrograms } from "../../../cache/programs.ts";

const PATTERN = "m/{provider}/{module}";

describe("packageName", () => {
  it.each<[string, string | undefined]>([
    ["package main\n", "main"],
    ["\uFEFFpackage main\n", "main"],
    ["// Copyright\n\n// Package main is.\npackage main\n", "main"],
    ["/* package\nother */ package main", "main"],
    ["/**/\n//\n/* a */ /* b */\r\n\tpackage  main // c", "main"],
    ["//go:build linux && amd64\n// +build linux,amd64\n\npackage main\n", "main"],
    ["// package main\npackage library\n", "library"],
    ["/* package main */\npackage library\n", "library"],
    ["package mainly\n", "mainly"],
    ["packagemain\n", undefined],
    ["/* never closed\npackage main\n", undefined],
    ["// nothing else", undefined],
    ["", undefined],
  ])("of %j is %s", (text, name) => {
    expect(packageName(text)).toBe(name);
  });

  it("is found at once below a long licence", () => {
    expect(packageName(`${"// line of a licence\n".repeat(20_000)}package main\n`)).toBe("main");
    expect(packageName(`${" ".repeat(100_000)}x`)).toBeUndefined();
  });
});

describe("readPrograms", () => {
  let source: string;

  beforeEach(async () => {
    source = await mkdtemp(path.join(tmpdir(), "kiln-programs-"));
    await write("go.mod", "module example.com/repository\n");
  });

  afterEach(() => rm(source, { recursive: true }));

  async function write(file: string, text: string): Promise<void> {
    await mkdir(path.join(source, path.dirname(file)), { recursive: true });
    await writeFile(path.join(source, file), text);
  }

  it("finds main packages, sorted, and counts what matches and is none", async () => {
    await write("m/gcp/zone/main.go", "package main\n");
    await write("m/aws/vpc/main.go", "package main\n");
    await write("m/aws/lib/lib.go", "package lib\n");
    await write("m/aws/empty/README.md", "package main\n");
    await write("m/aws/tested/a_test.go", "package main\n");
    expect(await readPrograms(source, PATTERN)).toEqual({
      programs: [
        { provider: "aws", module: "vpc", directory: "m/aws/vpc", goModule: "." },
        { provider: "gcp", module: "zone", directory: "m/gcp/zone", goModule: "." },
      ],
      skipped: ["m/aws/empty", "m/aws/lib", "m/aws/tested"],
    });
  });

  it("takes a directory whose main clause is not in its first file", async () => {
    await write("m/aws/vpc/a.go", "// Only a comment.\n");
    await write("m/aws/vpc/b.go", "package main\n");
    expect((await readPrograms(source, PATTERN)).programs).toHaveLength(1);
  });

  it.each([
    ["a generator that builds leave out", "gen.go", "//go:build ignore\n\npackage main\n"],
    ["a file that Go does not see", "_sketch.go", "package main\n"],
    ["a hidden file", ".main.go", "package main\n"],
  ])("does not take a library for a program because of %s", async (_, file, text) => {
    await write("m/aws/vpc/main.go", "package main\n");
    await write("m/aws/lib/lib.go", "package lib\n");
    await write(`m/aws/lib/${file}`, text);
    expect((await readPrograms(source, PATTERN)).skipped).toEqual(["m/aws/lib"]);
  });

  it("gives each program the nearest go.mod above it", async () => {
    await write("m/aws/own/go.mod", "module example.com/own\n");
    await write("m/aws/own/main.go", "package main\n");
    await write("m/gcp/go.mod", "module example.com/gcp\n");
    await write("m/gcp/zone/main.go", "package main\n");
    await write("m/k8s/redis/main.go", "package main\n");
    const { programs } = await readPrograms(source, PATTERN);
    expect(programs.map(({ goModule }) => goModule)).toEqual(["m/aws/own", "m/gcp", "."]);
  });

  it("keeps a program that no go.mod governs: Go says what is wrong with it, and the others go on", async () => {
    await write("m/aws/vpc/main.go", "package main\n");
    await rm(path.join(source, "go.mod"));
    expect((await readPrograms(source, PATTERN)).programs).toMatchObject([{ directory: "m/aws/vpc", goModule: "." }]);
  });

  it.each(["vendor", "node_modules", "testdata", ".git", ".terraform"])("never enters %s", async (folder) => {
    await write("m/aws/vpc/main.go", "package main\n");
    await write(`${folder}/aws/vpc/main.go`, "package main\n");
    await write(`m/${folder}/vpc/main.go`, "package main\n");
    const { programs, skipped } = await readPrograms(source, "**/{provider}/{module}");
    expect(programs.map(({ directory }) => directory)).toEqual(["m/aws/vpc"]);
    expect([...skipped].filter((directory) => directory.includes(folder))).toEqual([]);
  });

  it("ends where links go in circles", async () => {
    await write("m/aws/vpc/main.go", "package main\n");
    await symlink(source, path.join(source, "m/loop"));
    expect((await readPrograms(source, PATTERN)).programs).toHaveLength(1);
  });

  it("names two modules of one name and provider apart", async () => {
    await write("one/aws/store/main.go", "package main\n");
    await write("two/aws/store/main.go", "package main\n");
    const { programs } = await readPrograms(source, "*/{provider}/{module}");
    expect(programs.map(({ directory }) => directory)).toEqual(["one/aws/store", "two/aws/store"]);
  });

  it("takes directories with spaces and unicode, and files that end in CRLF", async () => {
    await write("m/aws/größe und raum/main.go", "// x\r\n\r\npackage main\r\n");
    expect((await readPrograms(source, PATTERN)).programs.map(({ module }) => module)).toEqual(["größe und raum"]);
  });

  it("leaves out a directory that only its name or a broken link makes look like Go", async () => {
    await write("m/aws/vpc/main.go", "package main\n");
    await mkdir(path.join(source, "m/aws/odd/main.go"), { recursive: true });
    await symlink("nowhere", path.join(source, "m/aws/odd/lost.go"));
    expect((await readPrograms(source, PATTERN)).skipped).toEqual(["m/aws/odd"]);
  });

  it("narrows to providers, skipped directories too", async () => {
    await write("m/gcp/zone/main.go", "package main\n");
    await write("m/aws/vpc/main.go", "package main\n");
    await write("m/aws/lib/lib.go", "package lib\n");
    await write("m/k8s/redis/main.go", "package main\n");
    const found = await readPrograms(source, PATTERN, ["gcp", "k8s"]);
    expect(found.programs.map(({ provider }) => provider)).toEqual(["gcp", "k8s"]);
    expect(found.skipped).toEqual([]);
  });

  it.each(["base", "common"])("refuses the provider %s, whose name what providers share has", async (provider) => {
    await write(`m/${provider}/vpc/main.go`, "package main\n");
    await expect(readPrograms(source, PATTERN)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`"${provider}"`) as string,
    });
  });

  it("refuses a source that is not there", async () => {
    await expect(readPrograms(path.join(source, "no"), PATTERN)).rejects.toMatchObject({
      kind: "usage",
      message: `no directory m below the source ${source}/no`,
    });
    await expect(readPrograms(path.join(source, "no"), "{provider}/{module}")).rejects.toThrow(
      `no directory . below the source ${source}/no`,
    );
  });

  it("refuses a pattern that finds nothing, and says what it found instead", async () => {
    await write("m/aws/lib/lib.go", "package lib\n");
    await expect(readPrograms(source, PATTERN)).rejects.toMatchObject({
      kind: "usage",
      message: `no Go program matches "${PATTERN}" below ${source} (1 directories match but hold no Go main package)`,
    });
    await expect(readPrograms(source, PATTERN, ["gcp"])).rejects.toThrow(
      `no Go program of provider gcp matches "${PATTERN}" below ${source}`,
    );
  });
});
