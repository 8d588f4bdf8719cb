import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { selectFiles } from "../../../../release/workflow/artifact-files.ts";
import { Artifacts } from "../../../../release/workflow/artifacts.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

let root: string;
const write = async (file: string, text = file) => {
  const to = path.join(root, file);
  await mkdir(path.dirname(to), { recursive: true });
  await writeFile(to, text);
};

beforeEach(async () => {
  root = await temporaryDirectory();
  for (const file of ["out/a/1.txt", "out/a/2.log", "out/b/3.txt", "out/.hidden", ".kiln/x/4.txt", "top.txt"])
    await write(file);
});

describe("selection", () => {
  it.each([
    ["out", false, "out", ["a/1.txt", "a/2.log", "b/3.txt"]],
    ["out/", true, "out", [".hidden", "a/1.txt", "a/2.log", "b/3.txt"]],
    ["out/a/1.txt", false, "out/a", ["1.txt"]],
    ["out/**/*.txt", false, "out", ["a/1.txt", "b/3.txt"]],
    ["out/*", false, "out", ["a/1.txt", "a/2.log", "b/3.txt"]],
    ["out\n!out/a", false, "out", ["b/3.txt"]],
    ["out/a\nout/b/3.txt", false, "out", ["a/1.txt", "a/2.log", "b/3.txt"]],
    [".kiln/x", false, ".kiln/x", ["4.txt"]],
    [".kiln", false, ".kiln", []],
    ["nothing", false, "nothing", []],
  ])("%j with hidden files %s", async (lines, hidden, at, files) => {
    const selected = await selectFiles(root, lines, hidden);
    expect(path.relative(root, selected.root)).toBe(at);
    expect(selected.files.map((file) => path.relative(path.join(root, at), file))).toEqual(files);
  });

  it("refuses signs of patterns that it does not know", async () => {
    await expect(selectFiles(root, "out/?.txt", false)).rejects.toThrow("has ? or [ ] in it");
  });
});

describe("artifacts", () => {
  const upload = async (artifacts: Artifacts, name: string, job = "warm (aws)", overwrite = false) =>
    artifacts.put(name, job, await selectFiles(root, "out", false), overwrite);

  it("come back as they went", async () => {
    const artifacts = new Artifacts(path.join(root, "store"), () => Promise.resolve());
    await upload(artifacts, "layers-aws");
    await artifacts.get(await artifacts.named("layers-aws"), path.join(root, "in"));
    expect((await readdir(path.join(root, "in"), { recursive: true })).sort()).toEqual([
      "a",
      "a/1.txt",
      "a/2.log",
      "b",
      "b/3.txt",
    ]);
  });

  it("belong to one job each", async () => {
    const artifacts = new Artifacts(path.join(root, "store"), () => Promise.resolve());
    await upload(artifacts, "layers");
    await expect(upload(artifacts, "layers", "warm (gcp)")).rejects.toThrow(
      "the job warm (aws) has uploaded an artifact layers already",
    );
    await upload(artifacts, "layers", "warm (gcp)", true);
    await artifacts.removeOf("warm (aws)");
    expect((await artifacts.all()).map(({ name, job }) => [name, job])).toEqual([["layers", "warm (gcp)"]]);
    await artifacts.removeOf("warm (gcp)");
    expect(await artifacts.all()).toEqual([]);
    await expect(upload(artifacts, "../x")).rejects.toThrow("is no name for an artifact");
  });

  it("say which job's they are when they are missing or corrupt, and tell who can have it repeated", async () => {
    const told: string[] = [];
    const artifacts = new Artifacts(path.join(root, "store"), (job) => Promise.resolve(void told.push(job)));
    await expect(artifacts.named("layers")).rejects.toThrow("there is no artifact layers");
    const artifact = await upload(artifacts, "layers");
    await writeFile(path.join(root, "store/layers/files/a/1.txt"), "other");
    await expect(artifacts.get(artifact, path.join(root, "in"))).rejects.toThrow(
      "the artifact layers of the job warm (aws) has another a/1.txt than was uploaded",
    );
    await rm(path.join(root, "store/layers/files/a/1.txt"));
    await expect(artifacts.get(artifact, path.join(root, "in"))).rejects.toThrow("has lost a/1.txt");
    expect(told).toEqual(["warm (aws)", "warm (aws)"]);
  });
});
