import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { dropPartialModules, notePartialModules } from "../../../cache/partial-modules.ts";
import { writeText } from "./cache-directory.ts";

let store = "";
beforeEach(async () => {
  store = await mkdtemp(path.join(tmpdir(), "kiln-partial-modules-"));
  return () => rm(store, { recursive: true });
});

const note = (run: string, trees: readonly string[]) =>
  writeText(path.join(store, "go-mod/cache/kiln-partial-modules.json"), JSON.stringify({ run, trees }));

describe("dropPartialModules", () => {
  it("does nothing without a note, and leaves those of this process", async () => {
    await dropPartialModules(store);
    await writeText(path.join(store, "go-mod/a.example/m@v1.0.0/a.go"), "package a");
    await notePartialModules(store, ["a.example/m@v1.0.0"]);
    await dropPartialModules(store);
    expect(await readdir(path.join(store, "go-mod/a.example"))).toEqual(["m@v1.0.0"]);
  });

  it("adds to what an earlier process noted", async () => {
    await note("1 1.5", ["b.example/m@v1.0.0"]);
    await notePartialModules(store, ["a.example/m@v1.0.0"]);
    const noted = await readFile(path.join(store, "go-mod/cache/kiln-partial-modules.json"), "utf8");
    expect((JSON.parse(noted) as { trees: unknown }).trees).toEqual(["a.example/m@v1.0.0", "b.example/m@v1.0.0"]);
    for (const name of ["a.example", "b.example"])
      await writeText(path.join(store, "go-mod", name, "m@v1.0.0/a.go"), "");
    await note("1 1.5", ["a.example/m@v1.0.0", "b.example/m@v1.0.0"]);
    await dropPartialModules(store);
    expect(await readdir(path.join(store, "go-mod/a.example"))).toEqual([]);
    expect(await readdir(path.join(store, "go-mod/b.example"))).toEqual([]);
  });

  it.each(["../outside@v1.0.0", "/outside@v1.0.0", "cache/download", ".", "a/../../outside@v1.0.0", ""])(
    "never removes %j",
    async (tree) => {
      for (const name of ["outside@v1.0.0/a", "go-mod/cache/download/a"]) await writeText(path.join(store, name), "");
      await note("another", [tree]);
      await dropPartialModules(store);
      expect(await readdir(path.join(store, "outside@v1.0.0"))).toEqual(["a"]);
      expect(await readdir(path.join(store, "go-mod/cache/download"))).toEqual(["a"]);
    },
  );
});
