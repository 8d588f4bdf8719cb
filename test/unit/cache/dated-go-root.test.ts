import { mkdir, readdir, readFile, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { GO_SECONDS, readyDatedGoRoot } from "../../../cache/dated-go-root.ts";
import { silent } from "../../../progress.ts";
import { places } from "../../../toolchain/places.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { writeText } from "./cache-directory.ts";

const FILES = [
  "VERSION",
  "bin/go",
  "pkg/tool/compile",
  "src/fmt/print.go",
  "src/fmt/print_test.go",
  "src/cmd/go/main.go",
];

let home: string;
let goRoot: string;

beforeEach(async () => {
  home = await temporaryDirectory();
  goRoot = path.join(home, "go");
  for (const name of [...FILES, "test/a.go", "api/go1.txt", "doc/x"]) await writeText(path.join(goRoot, name), name);
});

const dated = () =>
  readyDatedGoRoot({ places: places({ KILN_CACHE_DIR: path.join(home, "cache") }), goRoot, progress: silent });
const seconds = async (file: string) => (await stat(file)).mtimeMs / 1000;

describe("readyDatedGoRoot", () => {
  it("has all that builds read, the sources of packages with one date", async () => {
    const copy = await dated();
    for (const name of FILES) expect(await readFile(path.join(copy, name), "utf8")).toBe(name);
    expect((await readdir(copy)).sort()).toEqual(["VERSION", "bin", "pkg", "src"]);
    for (const name of ["src/fmt/print.go", "src/fmt/print_test.go"]) {
      expect(await seconds(path.join(copy, name))).toBe(GO_SECONDS);
    }
  });

  it("leaves the Go that it copies as it was", async () => {
    const file = path.join(goRoot, "src/fmt/print.go");
    await utimes(file, 1_700_000_000, 1_700_000_000);
    await dated();
    expect(await seconds(file)).toBe(1_700_000_000);
  });

  it("is no copy where the Go has these dates already, as in an image", async () => {
    await utimes(path.join(goRoot, "src/fmt/print.go"), GO_SECONDS, GO_SECONDS);
    expect(await dated()).toBe(goRoot);
  });

  it("is made once, and again for another version", async () => {
    const first = await dated();
    await mkdir(path.join(first, "marked"));
    expect(await dated()).toBe(first);
    expect(await readdir(first)).toContain("marked");
    await writeText(path.join(goRoot, "VERSION"), "go1.27");
    expect(await dated()).not.toBe(first);
  });
});
