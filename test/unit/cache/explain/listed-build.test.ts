import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  goFileOf,
  listBuild,
  readInputs,
  readInputsByProvider,
  type BuildPackage,
} from "../../../../cache/explain/listed-build.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { sha256, writeText } from "../cache-directory.ts";

const GO_MOD = "module example.com/x\n\ngo 1.26.3\n";

/** A repository of two programs, a shared package, a replaced module beside the source and a vendored one. */
async function repository(): Promise<{ readonly source: string; readonly listed: readonly BuildPackage[] }> {
  const home = await temporaryDirectory();
  const source = path.join(home, "source");
  const main = { Path: "example.com/x", Main: true, GoMod: path.join(source, "go.mod") };
  const of = (directory: string, more: Partial<BuildPackage> & Record<string, unknown> = {}): BuildPackage => ({
    ImportPath: `example.com/x/${directory}`,
    Dir: path.join(source, directory),
    Module: main,
    GoFiles: ["a.go"],
    ...more,
  });
  const local = { Path: "../local", GoMod: path.join(home, "local/go.mod") };
  const listed: readonly BuildPackage[] = [
    { ImportPath: "fmt", Standard: true, Dir: "/usr/local/go/src/fmt", GoFiles: ["print.go"] },
    {
      ImportPath: "sdk.io/sdk/aws",
      Dir: "/var/cache/go-mod/sdk.io/sdk@v1.2.0/aws",
      Module: { Path: "sdk.io/sdk", Version: "v1.2.0" },
      Imports: ["fmt"],
    },
    {
      ImportPath: "fork.io/old",
      Dir: "/var/cache/go-mod/fork.io/new@v2.0.0",
      Module: { Path: "fork.io/old", Version: "v1.0.0", Replace: { Path: "fork.io/new", Version: "v2.0.0" } },
    },
    of("../local", { ImportPath: "local.io/x", Module: { Path: "local.io/x", Version: "v0.0.0", Replace: local } }),
    of("vendor/v.io/v", { ImportPath: "v.io/v", Module: { Path: "v.io/v", Version: "v3.0.0" } }),
    of("shared", { Imports: ["fmt"], EmbedFiles: ["data/x.json"], SFiles: ["a.s"] }),
    of("m/aws/one", { Imports: ["example.com/x/shared", "sdk.io/sdk/aws", "C"] }),
    of("m/gcp/two", { Imports: ["example.com/x/shared", "fork.io/old", "local.io/x", "v.io/v"] }),
  ];
  for (const { Dir: directory = "", Standard: standard } of listed) {
    if (standard !== true && directory.startsWith(home))
      await writeText(path.join(directory, "a.go"), directory.slice(home.length));
  }
  await writeText(path.join(source, "shared/data/x.json"), "{}");
  await writeText(path.join(source, "shared/a.s"), "TEXT");
  await writeText(path.join(source, "go.mod"), GO_MOD);
  await writeText(path.join(home, "local/go.mod"), "module local.io/x\n");
  return { source, listed };
}

describe("readInputs", () => {
  it("names of each program what it alone is built from, a dependency before what imports it", async () => {
    const { source, listed } = await repository();
    const inputs = await readInputs(source, source, listed, ["m/gcp/two", "m/aws/one", "m/none"]);
    expect(inputs.programs).toEqual({
      "m/aws/one": { goFiles: ["go.mod"], packages: ["shared", "m/aws/one"], modules: { "sdk.io/sdk": "v1.2.0" } },
      "m/gcp/two": {
        goFiles: ["../local/go.mod", "go.mod"],
        packages: ["../local", "vendor/v.io/v", "shared", "m/gcp/two"],
        modules: { "fork.io/old": "=> fork.io/new@v2.0.0", "local.io/x": "=> ../local", "v.io/v": "v3.0.0" },
      },
    });
    expect(inputs.goFiles).toEqual({ "../local/go.mod": {}, "go.mod": { go: "1.26" } });
  });

  it("has the digest of every file that the compiler reads, and one for all of a vendored package", async () => {
    const { source, listed } = await repository();
    const { packages } = await readInputs(source, source, listed, ["m/gcp/two"]);
    expect(packages.shared).toEqual({
      "a.go": sha256("/source/shared"),
      "a.s": sha256("TEXT"),
      "data/x.json": sha256("{}"),
    });
    expect(Object.keys(packages["vendor/v.io/v"] ?? {})).toEqual(["."]);
    const before = packages["vendor/v.io/v"];
    await writeFile(path.join(source, "vendor/v.io/v/a.go"), "edited");
    const again = await readInputs(source, source, listed, ["m/gcp/two"]);
    expect(again.packages["vendor/v.io/v"]).not.toEqual(before);
  });

  it("takes the go.work above in, and says the same at another place", async () => {
    const { source, listed } = await repository();
    await writeText(path.join(source, "go.work"), "go 1.26\n\ngodebug x=1\n\nuse .\n");
    const inputs = await readInputs(source, source, listed, ["m/aws/one"]);
    expect(inputs.programs["m/aws/one"]?.goFiles).toEqual(["go.mod", "go.work"]);
    expect(inputs.goFiles["go.work"]).toEqual({ go: "1.26", godebug: ["x=1"] });
    const elsewhere = JSON.parse(JSON.stringify(listed).replaceAll(source, "/inside")) as BuildPackage[];
    expect(await readInputs("/inside", source, elsewhere, ["m/aws/one"])).toEqual(inputs);
    expect(JSON.stringify(inputs)).not.toContain(source);
  });
});

describe("readInputsByProvider", () => {
  it("writes down for a provider only what is its own", async () => {
    const { source, listed } = await repository();
    const program = (provider: string, directory: string) => ({ provider, module: "x", directory, goModule: "." });
    const programs = [program("gcp", "m/gcp/two"), program("aws", "m/aws/one")];
    const found = await readInputsByProvider(source, source, new Map([[".", listed]]), programs);
    expect(Object.keys(found)).toEqual(["aws", "gcp"]);
    expect(Object.keys(found.aws?.programs ?? {})).toEqual(["m/aws/one"]);
    expect(Object.keys(found.aws?.packages ?? {})).toEqual(["m/aws/one", "shared"]);
    expect(found.aws?.goFiles).toEqual({ "go.mod": { go: "1.26" } });
  });
});

describe("listBuild", () => {
  const answer = (code: number, stdout: string, stderr = "") => ({
    root: "/x",
    go: (args: readonly string[]) =>
      Promise.resolve({ code, stdout: stdout || JSON.stringify({ ImportPath: args.join(" ") }, null, 1), stderr }),
  });

  it("passes the flags of the build, and asks what is stale only where that is wanted", async () => {
    const [plain, stale] = await Promise.all(
      [false, true].map((wanted) => listBuild(answer(0, ""), ["-trimpath"], ".", ["."], wanted)),
    );
    expect(plain?.packages[0]?.ImportPath).toMatch(/^list -e -deps -trimpath -json=ImportPath,.*EmbedFiles \.$/);
    expect(plain?.packages[0]?.ImportPath).not.toContain("Stale");
    expect(stale?.packages[0]?.ImportPath).toContain(",Stale,StaleReason .");
  });

  it("says what Go says where it lists nothing", async () => {
    expect(await listBuild(answer(1, "x", "go: no go.mod\n"), [], ".", ["."])).toEqual({
      packages: [],
      fault: "go: no go.mod",
    });
  });
});

describe("goFileOf", () => {
  it.each<[string, ReturnType<typeof goFileOf>]>([
    ["module x\n\ngo 1.25.3\n", { go: "1.25" }],
    ["module x\n", {}],
    ["module x\ngo 1.27rc1\ntoolchain go1.27.0\n", { go: "1.27" }],
    ["go 1.26\n\ngodebug (\n\tb=1 // why\n\ta=0\n)\ngodebug c=2\n", { go: "1.26", godebug: ["a=0", "b=1", "c=2"] }],
  ])("reads %j", (text, file) => {
    expect(goFileOf(text)).toEqual(file);
  });
});
