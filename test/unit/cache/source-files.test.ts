import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { mkdir, open, symlink } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Program } from "../../../cache/programs.ts";
import { goWorkOf, localDirectories, readGoModuleOf, readSourceNames } from "../../../cache/source-files.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { writeText } from "./cache-directory.ts";

let root: string;
let source: string;

beforeEach(async () => {
  root = await temporaryDirectory();
  source = path.join(root, "source");
  await mkdir(source);
});

/** Writes files below the source; those without text are empty. */
async function write(files: Readonly<Record<string, string>> | readonly string[]): Promise<void> {
  const entries = Array.isArray(files) ? files.map((name: string) => [name, ""] as const) : Object.entries(files);
  for (const [name, text] of entries) await writeText(path.join(source, name), text);
}

const programIn = (goModule: string): Program => ({ provider: "p", module: "m", directory: goModule, goModule });
const namesOf = (...goModules: readonly string[]) => readSourceNames(source, goModules.map(programIn));
const EMBEDDING = 'package main\n\nimport _ "embed"\n\n//go:embed data\nvar data string\n';

describe("localDirectories", () => {
  it.each<[string, string, readonly string[]]>([
    ["a replacement", "replace example.com/x => ../x\n", ["../x"]],
    ["a block of them", "replace (\n\ta => ./a // near\n\tb v1.0.0 => ../b\n)\n", ["./a", "../b"]],
    ["the parent itself", "replace a => ..\n", [".."]],
    ["a workspace", "go 1.26\n\nuse ./one\nuse (\n\t../two\n\t.\n)\n", ["./one", "../two", "."]],
    ["quoted paths, which may hold blanks", 'replace a => "./my lib"\n\nuse "./one"\n', ["./my lib", "./one"]],
    ["lines that end in CRLF", "use (\r\n\t./one\r\n)\r\nreplace a => ./b\r\n", ["./one", "./b"]],
    ["a module in place of another", "replace a => example.com/b v1.0.0\n", []],
    ["a comment", "// replace a => ../x\n", []],
    ["nothing", "", []],
  ])("reads %s", (_, text, directories) => {
    expect(localDirectories(text)).toEqual(directories);
  });

  it("reads any list of them back, in a block or one by one", () => {
    const directory = fc.stringMatching(/^\.{1,2}(\/[a-z_ü-]{1,5}( [a-z]{1,3})?){0,3}$/);
    fc.assert(
      fc.property(fc.array(directory), fc.boolean(), fc.constantFrom("\n", "\r\n"), (list, block, end) => {
        const said = list.map((name) => (name.includes(" ") ? `"${name}"` : name));
        const lines = block ? ["use (", ...said.map((name) => `\t${name}`), ")"] : said.map((name) => `use ${name}`);
        expect(localDirectories(["go 1.26", ...lines, ""].join(end))).toEqual(list);
      }),
    );
  });
});

describe("goWorkOf", () => {
  it("is the nearest one at or above the Go module, and none outside the source", async () => {
    await write(["go.work", "a/go.work", "a/b/c/go.mod"]);
    expect(await goWorkOf(source, "a/b/c")).toBe("a/go.work");
    expect(await goWorkOf(source, "a")).toBe("a/go.work");
    expect(await goWorkOf(source, "./a/../z")).toBe("go.work");
    expect(await goWorkOf(source, ".")).toBe("go.work");
    expect(await goWorkOf(source, "../beside")).toBeUndefined();
    expect(await goWorkOf(path.join(source, "a/b"), "c")).toBeUndefined();
  });
});

describe("readSourceNames", () => {
  it("names what Go reads by name or extension, sorted, and leaves the rest", async () => {
    const read = [
      ...["Pulumi.yaml", "default.pgo", "go.mod", "go.sum", "lib/a.go", "lib/a.s", "lib/a.syso", "lib/b_test.go"],
      ...["lib/inc.h", "main.go", "größe und raum/ü.go"],
    ];
    await write([...read, "README.md", "lib/data.json", "lib/script.py", "main.go.orig", "Pulumi.dev.yaml"]);
    await write([".git/HEAD.go", ".kiln/x.go", "node_modules/a/x.go"]);
    expect(await namesOf(".")).toEqual(read.sort());
  });

  it("names everything at and below a directory whose files embed, and nothing beside it", async () => {
    await write({ "go.mod": "", "beside/data": "", data: "", "app/main.go": EMBEDDING });
    await write(["app/data", "app/deep/er/data", "app/.hidden", "app/.git/HEAD"]);
    expect(await namesOf(".")).toEqual(["app/.hidden", "app/data", "app/deep/er/data", "app/main.go", "go.mod"]);
  });

  it.each([
    ["alone", "//go:embed data\nvar data string\n"],
    ["in a block, indented", "var (\n\t//go:embed data\n\tdata string\n)\n"],
    ["with CRLF", "//go:embed data\r\nvar data string\r\n"],
  ])("sees a directive %s", async (_, text) => {
    await write({ "go.mod": "", "app/main.go": `package main\n\nimport _ "embed"\n\n${text}`, "app/data": "" });
    expect(await namesOf(".")).toContain("app/data");
  });

  it("does not take text about embedding for a directive", async () => {
    await write({ "go.mod": "", "app/main.go": 'package main\n\n// See //go:embed data\nvar x = "//go:embed"\n' });
    await write(["app/data"]);
    expect(await namesOf(".")).not.toContain("app/data");
  });

  it("leaves out a large file beside a program, unless something there embeds", async () => {
    await write({ "go.mod": "", "app/main.go": "package main\n" });
    const large = await open(path.join(source, "app/large.bin"), "w");
    await large.truncate(2 * 1024 ** 3);
    await large.close();
    expect(await namesOf(".")).toEqual(["app/main.go", "go.mod"]);
    await write({ "app/main.go": EMBEDDING });
    expect(await namesOf(".")).toContain("app/large.bin");
  });

  it("ends where links go in circles", async () => {
    await write(["go.mod", "a/b/x.go"]);
    await symlink("..", path.join(source, "a/b/up"));
    await symlink("../..", path.join(source, "a/b/top"));
    await symlink("self", path.join(source, "a/self"));
    await symlink("nowhere", path.join(source, "a/dangling.go"));
    expect(await namesOf(".")).toEqual(["a/b/x.go", "go.mod"]);
  });

  it("follows a link to a directory or file inside, under the link's name", async () => {
    await write(["go.mod", "shared/kit/kit.go"]);
    await symlink("../shared/kit", path.join(source, "app"));
    await mkdir(path.join(source, "apps"));
    await symlink("../shared/kit", path.join(source, "apps/kit"));
    await symlink("../shared/kit/kit.go", path.join(source, "apps/one.go"));
    const names = await namesOf(".");
    expect(names).toEqual(["apps/kit/kit.go", "apps/one.go", "go.mod", "shared/kit/kit.go"]);
  });

  it("does not follow a link to a directory out of the source", async () => {
    await writeText(path.join(root, "secret/x.go"), "package secret\n");
    await write(["go.mod"]);
    await symlink("../secret", path.join(source, "away"));
    expect(await namesOf(".")).toEqual(["go.mod"]);
  });

  it("finds its way where the source itself is named through a link", async () => {
    await write(["go.mod", "shared/kit.go"]);
    await symlink("shared", path.join(source, "again"));
    await symlink("source", path.join(root, "link"));
    expect(await readSourceNames(path.join(root, "link"), [programIn(".")])).toEqual([
      ...["again/kit.go", "go.mod", "shared/kit.go"],
    ]);
  });

  it("names vendored packages with their list", async () => {
    await write(["go.mod", "vendor/modules.txt", "vendor/example.com/lib/lib.go", "vendor/example.com/lib/LICENSE"]);
    expect(await namesOf(".")).toEqual(["go.mod", "vendor/example.com/lib/lib.go", "vendor/modules.txt"]);
  });

  it("goes where replacements lead, and on from there, out of the source too", async () => {
    await write({ "app/go.mod": 'replace (\n\ta => ../one\n\tb => "../my lib"\n)\n', "app/main.go": "" });
    await write({
      "one/go.mod": "replace c => ../../beside\n",
      "one/one.go": "",
      "my lib/lib.go": "",
      "other/x.go": "",
    });
    await writeText(path.join(root, "beside/beside.go"), "");
    expect(await namesOf("app")).toEqual([
      ...["../beside/beside.go", "app/go.mod", "app/main.go", "my lib/lib.go", "one/go.mod", "one/one.go"],
    ]);
  });

  it("names the workspace with its sums, its vendor directory, and the Go modules that it uses", async () => {
    await write({ "team/go.work": "go 1.25\n\nuse (\n\t./app\n\t./lib\n)\n", "team/go.work.sum": "" });
    await write(["team/vendor/modules.txt", "team/vendor/a.io/b/b.go", "team/app/go.mod", "team/lib/lib.go"]);
    await write(["team/unused/x.go", "go.work.sum"]);
    expect(await namesOf("team/app")).toEqual([
      ...["team/app/go.mod", "team/go.work", "team/go.work.sum", "team/lib/lib.go"],
      ...["team/vendor/a.io/b/b.go", "team/vendor/modules.txt"],
    ]);
  });

  it("takes no vendor directory beside a go.work that lists nothing of it", async () => {
    await write({ "go.work": "go 1.25\n\nuse ./app\n", "app/go.mod": "", "vendor/a.io/b/b.go": "" });
    expect(await namesOf("app")).toEqual(["app/go.mod", "go.work"]);
  });

  it("names each file once, whatever programs share", async () => {
    await write({ "go.mod": "", "lib/go.mod": "", "lib/lib.go": "", "app/go.mod": "replace a => ../lib\n" });
    const names = await namesOf(".", "lib", "app", "app");
    expect(names).toEqual([...new Set(names)]);
    expect(names).toEqual(["app/go.mod", "go.mod", "lib/go.mod", "lib/lib.go"]);
  });
});

describe("readGoModuleOf", () => {
  it("is the nearest directory with a go.mod, or the source", async () => {
    await write({ "m/aws/go.mod": "module m\n" });
    expect(await readGoModuleOf(source, "m/aws/bucket")).toBe("m/aws");
    expect(await readGoModuleOf(source, "m/aws")).toBe("m/aws");
    expect(await readGoModuleOf(source, "m/gcp/x")).toBe(".");
  });
});

describe("what is no file", () => {
  it("is passed over: reading a pipe would wait for ever", async () => {
    await write({ "go.mod": "module m\n", "a.go": "package m\n" });
    await promisify(execFile)("mkfifo", [path.join(source, "pipe.go")]);
    expect(await namesOf(".")).toEqual(["a.go", "go.mod"]);
  });
});

describe("links to files", () => {
  it("are followed inside the source and nowhere else: a repository could have any file of this machine copied", async () => {
    await write({ "go.mod": "module m\n", "shared/real.go": "package m\n", "a.go": "package m\n" });
    await writeText(path.join(root, "secret.h"), "secret");
    await symlink("shared/real.go", path.join(source, "inside.go"));
    await symlink("../secret.h", path.join(source, "outside.h"));
    await symlink("nowhere", path.join(source, "gone.go"));
    expect(await namesOf(".")).toEqual(["a.go", "go.mod", "inside.go", "shared/real.go"]);
  });
});
