import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { goSourceKey } from "../../../toolchain/go-programs.ts";
import { goSources } from "../../../toolchain/go-sources.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const FILES = {
  "go.mod": "module m.example/programs\n",
  "go.sum": "",
  "README.md": "for people",
  "one/main.go": 'package main\n\nimport (\n\t"fmt"\n\n\tnamed "m.example/programs/shared"\n)\n',
  "one/main_test.go": 'package main\n\nimport "m.example/programs/fake"\n',
  "one/data/list.json": "[]",
  "one/command/command.go": "package command\n",
  "shared/shared.go": "package shared\n\nimport `m.example/programs/deep/inner`\n",
  "deep/inner/inner.go": 'package inner // goes back: "m.example/programs/shared"\n',
  "deep/other.go": "package deep\n",
  "two/main.go": 'package main\n\nimport "m.example/programsother/one"\n',
  "fake/fake.go": "package fake\n",
};

let source: string;

beforeEach(async () => {
  source = await temporaryDirectory();
  for (const [name, text] of Object.entries(FILES)) await put(name, text);
});

async function put(name: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(source, name)), { recursive: true });
  await writeFile(path.join(source, name), text);
}

test("a program is made of the packages that it imports, what is embedded in them, and the module's own files", async () => {
  expect(await goSources(source, ["./one"])).toEqual([
    ...["deep/inner/inner.go", "go.mod", "go.sum", "one/data/list.json", "one/main.go", "shared/shared.go"],
  ]);
  expect(await goSources(source, ["./two"])).toEqual(["go.mod", "go.sum", "two/main.go"]);
  expect(await goSources(source, ["./two", "./deep"])).toContain("deep/other.go");
});

test("a program of another module is made of what names its version", async () => {
  expect(await goSources(source, ["elsewhere.example/program"])).toEqual(["go.mod", "go.sum"]);
});

test("a program of the module's own folder has the files there", async () => {
  await put("main.go", "package main\n");
  expect(await goSources(source, ["."])).toEqual(["README.md", "go.mod", "go.sum", "main.go"]);
});

test("every file but tests counts where no package is named, or all are", async () => {
  const all = Object.keys(FILES).filter((name) => !name.endsWith("_test.go"));
  expect(await goSources(source)).toEqual(all.sort());
  expect(await goSources(source, ["./..."])).toEqual(all.sort());
});

test("the key of a program changes with what it is made of, and with nothing else", async () => {
  const key = () => goSourceKey(source, "go1.26.8", ["./one"]);
  const before = await key();
  for (const name of ["two/main.go", "fake/fake.go", "README.md", "one/main_test.go", "one/command/more.go"]) {
    await put(name, "package changed\n");
    expect(await key(), name).toBe(before);
  }
  for (const name of [
    "go.mod",
    "go.sum",
    "one/main.go",
    "one/data/list.json",
    "shared/more.go",
    "deep/inner/inner.go",
  ]) {
    const text = name in FILES ? FILES[name as keyof typeof FILES] : undefined;
    await put(name, `${text ?? "package shared\n"}\n`);
    expect(await key(), name).not.toBe(before);
    if (text === undefined) await rm(path.join(source, name));
    else await put(name, text);
    expect(await key(), name).toBe(before);
  }
});
