import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { copyEdited, edited } from "../../../bench/edit.ts";
import { sampleOf, selectPrograms, writeProgramList } from "../../../bench/selection.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const program = (provider: string, module: string) => ({
  provider,
  module,
  directory: `${provider}/${module}`,
  goModule: ".",
});

async function repository(): Promise<string> {
  const source = path.join(await temporaryDirectory(), "repository");
  const files = {
    "go.mod": "module example.com/m\n",
    "shared/shared.go": "package shared\n",
    "aws/bucket/main.go": "package main\n\nfunc main() {}\n",
    "aws/bucket/names.go": "package main\n",
    "gcp/topic/main.go": "package main\n\nfunc main() {}\n",
    "gcp/topic/README.md": "text",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(source, name)), { recursive: true });
    await writeFile(path.join(source, name), text);
  }
  return source;
}

describe("selectPrograms", () => {
  it("copies what builds of the selected programs read, without the programs that were not selected", async () => {
    const source = await repository();
    const work = await temporaryDirectory();
    const selection = await selectPrograms({ source, pattern: "{provider}/{module}", providers: ["gcp"] }, work);
    expect(selection.programs).toEqual([program("gcp", "topic")]);
    const has = (name: string) => existsSync(path.join(selection.source, name));
    expect(["go.mod", "shared/shared.go", "gcp/topic/main.go"].map(has)).toEqual([true, true, true]);
    expect(["aws/bucket/main.go", "gcp/topic/README.md"].map(has)).toEqual([false, false]);
  });

  it("has another digest for another text, and the same one for the same", async () => {
    const source = await repository();
    const work = await temporaryDirectory();
    const from = { source, pattern: "{provider}/{module}", providers: [] };
    const first = await selectPrograms(from, work);
    expect((await selectPrograms(from, work)).digest).toBe(first.digest);
    await writeFile(path.join(source, "shared/shared.go"), "package shared // changed\n");
    expect((await selectPrograms(from, work)).digest).not.toBe(first.digest);
  });
});

describe("sampleOf", () => {
  const providers = (count: number) => Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));

  it("has one program of each of at most four providers, from the first to the last by name", () => {
    const of = (count: number) =>
      sampleOf(providers(count).flatMap((name) => [program(name, "one"), program(name, "two")]))
        .map(({ provider }) => provider)
        .join("");
    expect([2, 3, 4, 5, 11].map(of)).toEqual(["ab", "abc", "abcd", "abde", "adhk"]);
  });

  it("has two programs where there is one provider", () => {
    const programs = ["one", "two", "three"].map((module) => program("aws", module));
    expect(sampleOf(programs).map(({ module }) => module)).toEqual(["one", "two"]);
    expect(sampleOf(programs.slice(0, 1))).toHaveLength(1);
  });
});

describe("writeProgramList", () => {
  it("writes what bench/published reads", async () => {
    const file = path.join(await temporaryDirectory(), "below/programs.tsv");
    await writeProgramList([program("aws", "bucket"), program("gcp", "topic")], file);
    expect(await readFile(file, "utf8")).toBe("aws\taws/bucket\ngcp\tgcp/topic\n");
  });
});

describe("copyEdited", () => {
  it("edits main.go of one program in the copy alone", async () => {
    const source = await repository();
    const to = path.join(await temporaryDirectory(), "copy");
    const copied = await copyEdited({ root: source, source }, to, "aws/bucket", "7");
    const main = await readFile(path.join(source, "aws/bucket/main.go"), "utf8");
    expect(await readFile(path.join(copied, "aws/bucket/main.go"), "utf8")).toBe(edited(main, "7"));
    expect(await readFile(path.join(copied, "aws/bucket/names.go"), "utf8")).toBe("package main\n");
    expect(edited(main, "7")).not.toBe(edited(main, "8"));
  });

  it("edits another file of the package where there is no main.go, and throws where there is none", async () => {
    const source = await repository();
    const to = path.join(await temporaryDirectory(), "copy");
    await writeFile(path.join(source, "gcp/topic/main.go"), "package other\n");
    await writeFile(path.join(source, "gcp/topic/run.go"), "package main\n");
    const copied = await copyEdited({ root: source, source }, to, "gcp/topic", "7");
    expect(await readFile(path.join(copied, "gcp/topic/run.go"), "utf8")).toContain('kilnBenchEdit = "7"');
    await expect(copyEdited({ root: source, source }, to, "shared", "7")).rejects.toThrow(/no file of package main/);
  });
});
