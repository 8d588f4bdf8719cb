import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { moduleIgnore, readModuleIgnore } from "../../../../execution/module/ignore.ts";

describe("moduleIgnore", () => {
  it.each([
    ".terraform.lock.hcl",
    ".npmrc",
    ".yarnrc.yml",
    ".node-version",
    ".python-version",
    ".pulumi-version",
    ".env",
    "Pulumi.dev.yaml",
    "modules/network/.terraform.lock.hcl",
    "src/bin/x.ts",
  ])("keeps %s", (file) => {
    expect(moduleIgnore("").ignores(file)).toBe(false);
  });

  it.each([
    "node_modules/a/index.js",
    "packages/a/node_modules/b",
    ".git/HEAD",
    ".terraform/providers/x",
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "a/x.tfstate",
    "a/__pycache__/b.pyc",
    ".pulumi/stacks/dev.json",
    ".dockerignore",
  ])("leaves %s out", (file) => {
    expect(moduleIgnore("").ignores(file)).toBe(true);
  });

  it("has the semantics of Docker: the last rule wins, `!` brings back, `**` crosses folders", () => {
    const ignore = moduleIgnore("\uFEFF*\n!index.ts\n# comment\n!src\nsrc/**/secret*\n!src/a/secret-but-public\n");
    const kept = ["index.ts", "src/x", "src/a/b", "src/a/secret-but-public"];
    const left = ["other.ts", "src/secret", "src/a/b/secret.txt", ".npmrc"];
    for (const file of kept) expect(ignore.ignores(file), file).toBe(false);
    for (const file of left) expect(ignore.ignores(file), file).toBe(true);
  });

  it("lets a module have back what is left out by default", () => {
    expect(moduleIgnore("!node_modules").ignores("node_modules/a")).toBe(false);
    expect(moduleIgnore("!.dockerignore").ignores(".dockerignore")).toBe(true);
  });
});

it("readModuleIgnore leaves out what the build of a kind makes anew", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "kiln-ignore-"));
  try {
    const pulumi = { tool: "pulumi", project: "p", projectFile: "Pulumi.yaml", notes: [] } as const;
    const python = { ...pulumi, runtime: "python", packageManager: "pip", manifests: [], local: false } as const;
    const made = await readModuleIgnore(directory, { ...python, virtualenv: "env/x" });
    expect(["env/x/bin/python", "env/y", "bin/x"].map((file) => made.ignores(file))).toEqual([true, false, false]);
    await writeFile(path.join(directory, ".dockerignore"), "*.md\n");
    const dotnet = { ...pulumi, runtime: "dotnet", buildFile: "x", version: "9.0", assembly: "x" } as const;
    const other = await readModuleIgnore(directory, dotnet);
    expect(["obj/x", "bin/x", "a.md", "b.cs"].map((file) => other.ignores(file))).toEqual([true, true, true, false]);
    const java = { ...pulumi, runtime: "java", buildFile: "x", mainClass: "x" } as const;
    expect((await readModuleIgnore(directory, { ...java, packageManager: "maven" })).ignores("target/x")).toBe(true);
    expect((await readModuleIgnore(directory, { ...java, packageManager: "gradle" })).ignores("build/x")).toBe(true);
  } finally {
    await rm(directory, { recursive: true });
  }
});
