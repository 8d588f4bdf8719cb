import { mkdir, open, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { writeModuleVersion } from "./module-proxy.ts";

/** A repository that looks nothing like this project's examples, and what kiln must say of it. */
export interface ForeignRepository {
  readonly source: string;
  readonly pattern: string;
  /** Fetch settings: a module proxy in a folder beside the repository, and the configured one behind it. */
  readonly env: NodeJS.ProcessEnv;
  /** Directories of programs that compile. */
  readonly sound: readonly string[];
  /** What kiln says of each program that does not, by directory. */
  readonly failing: Readonly<Record<string, RegExp>>;
  /** Directories that match the pattern and hold no program. */
  readonly skipped: readonly string[];
}

/** Where the programs are: `{module}` stands before `{provider}`, and a folder of its own comes after both. */
export const FOREIGN_PATTERN = "teams/*/{module}/on-{provider}/program";

/** Standard packages that programs import in turns, so that providers share some and not others. */
const IMPORTS = [
  "bufio",
  "container/heap",
  "encoding/csv",
  "hash/crc32",
  "html",
  "math/big",
  "regexp",
  "text/tabwriter",
];
const PROVIDERS = ["aws", "azure", "civo", "gcp", "snowflake"];

const MAIN = "package main\n\nfunc main() {}\n";
const goMod = (name: string, ...lines: readonly string[]) => `module ${name}\n\ngo 1.25\n${lines.join("\n")}\n`;
const importing = (...names: readonly string[]) =>
  `package main\n\nimport (\n${names.map((name) => `\t_ "${name}"\n`).join("")})\n\nfunc main() {}\n`;

/** Writes `count` small programs in several Go modules, with every trap that repositories were seen to hold, below `root`. */
export async function writeForeignRepository(root: string, count: number): Promise<ForeignRepository> {
  const source = path.join(root, "repository");
  const write = (file: string, text: string) => writeText(path.join(source, file), text);
  const place = (team: string, module: string, provider: string) => `teams/${team}/${module}/on-${provider}/program`;
  const sound: string[] = [];
  const failing: Record<string, RegExp> = {};
  const skipped: string[] = [];
  const addSound = async (directory: string, files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) await write(`${directory}/${name}`, text);
    sound.push(directory);
  };
  const addFailing = async (directory: string, says: RegExp, files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) await write(`${directory}/${name}`, text);
    failing[directory] = says;
  };

  // One large Go module at the root, with a package of its own that programs share.
  await write("go.mod", goMod("example.com/estate"));
  await write("kit/kit.go", 'package kit\n\nimport _ "text/template"\n');

  // Two Go modules of one name, whose packages of one name differ.
  for (const [team, body] of [
    ["red", 'import _ "encoding/xml"\n'],
    ["blue", 'import _ "image/gif"\n'],
  ] as const) {
    await write(`teams/${team}/go.mod`, goMod("example.com/team"));
    await write(`teams/${team}/kit/kit.go`, `package kit\n\n${body}`);
    await addSound(place(team, "store", "aws"), { "main.go": importing("example.com/team/kit") });
  }

  // A workspace of two Go modules that know each other through go.work alone.
  await write("teams/green/go.work", "go 1.25\n\nuse (\n\t./store\n\t./library\n)\n");
  await write("teams/green/library/go.mod", goMod("example.com/green-library"));
  await write("teams/green/library/library.go", 'package library\n\nimport _ "mime/multipart"\n');
  await write("teams/green/store/go.mod", goMod("example.com/green-store"));
  await addSound(place("green", "store", "gcp"), { "main.go": importing("example.com/green-library") });

  // A vendor directory, a replacement by a directory, an embedded file, build tags, lines that end in CRLF, links in a loop.
  const lib = "require example.com/lib v1.0.0";
  await write("teams/shelf/go.mod", goMod("example.com/vendored", lib));
  await write("teams/shelf/vendor/modules.txt", "# example.com/lib v1.0.0\n## explicit; go 1.25\nexample.com/lib\n");
  await write("teams/shelf/vendor/example.com/lib/lib.go", 'package lib\n\nimport _ "net/textproto"\n');
  await addSound(place("shelf", "store", "azure"), { "main.go": importing("example.com/lib") });
  await write(
    "teams/local/go.mod",
    goMod("example.com/local", lib, "replace example.com/lib => ../../third-party/lib"),
  );
  await write("third-party/lib/go.mod", goMod("example.com/lib"));
  await write("third-party/lib/lib.go", "package lib\n");
  await addSound(place("local", "store", "civo"), { "main.go": importing("example.com/lib") });
  await addSound(place("odd", "embed", "aws"), {
    "main.go": 'package main\n\nimport _ "embed"\n\n//go:embed data\nvar data string\n\nfunc main() { print(data) }\n',
    data: "embedded\n",
  });
  await addSound(place("odd", "tags", "aws"), {
    "main.go": MAIN,
    "other_windows.go": 'package main\n\nimport _ "example.com/no-such-thing"\n',
    "generate.go": '//go:build ignore\n\npackage main\n\nimport _ "example.com/no-such-thing"\n',
  });
  await addSound(place("odd", "crlf", "gcp"), {
    "main.go": importing("kit").replace('"kit"', '"example.com/estate/kit"').replaceAll("\n", "\r\n"),
  });
  // The directory of a Go module may have any name; only import paths may not.
  const named = "teams/größe und raum/store/on-azure/program";
  await addSound(named, { "go.mod": goMod("example.com/named"), "main.go": MAIN });
  await addSound("teams/b\\ack\\slash/store/on-civo/program", { "go.mod": goMod("example.com/back"), "main.go": MAIN });
  // Two modules of one name and provider, in two teams.
  for (const team of ["one", "two"]) await addSound(place(team, "same", "aws"), { "main.go": MAIN });
  await symlink("..", path.join(source, `${place("odd", "embed", "aws")}/up`));
  await symlink("loop", path.join(source, "teams/loop"));

  // What matches and is no program: a library, a generator, a program by a tag that only its tools set.
  await write(`${place("odd", "library", "aws")}/library.go`, "package library\n");
  await write(`${place("odd", "empty", "aws")}/README.md`, "nothing here\n");
  await write(`${place("odd", "mixed", "aws")}/library.go`, "package mixed\n");
  await write(`${place("odd", "mixed", "aws")}/tool.go`, "//go:build tools\n\npackage main\n\nfunc main() {}\n");
  skipped.push(...["library", "empty", "mixed"].map((module) => place("odd", module, "aws")));

  // What does not compile, each for a reason of its own.
  await addFailing(place("odd", "type", "aws"), /cannot use "x"|untyped string/, {
    "main.go": 'package main\n\nvar n int = "x"\n\nfunc main() {}\n',
  });
  await addFailing(place("odd", "syntax", "gcp"), /syntax error|expected/, {
    "main.go": "package main\n\nfunc main( {\n",
  });
  await addFailing(place("odd", "no-main", "gcp"), /function main is undeclared/, {
    "main.go": "package main\n\nvar Answer = 42\n",
  });
  await addFailing(place("odd", "gone", "gcp"), /no required module provides package example\.com\/gone/, {
    "main.go": importing("example.com/gone"),
  });
  await addFailing(place("odd", "cgo", "aws"), /main\.go needs cgo, and the image has no C compiler/, {
    "main.go": 'package main\n\nimport "C"\n\nfunc main() {}\n',
  });
  await addFailing(place("odd", "tagged", "civo"), /main\.go is built only with "\/\/go:build special"/, {
    "main.go": `//go:build special\n\n${MAIN}`,
  });
  await addFailing(place("odd", "with space", "aws").replace("program", "program"), /malformed import path/, {
    "main.go": MAIN,
  });
  await addFailing(
    place("newer", "store", "aws"),
    /teams\/newer\/go\.mod has the line "toolchain go1\.99\.1", which is newer/,
    { "main.go": MAIN },
  );
  await write("teams/newer/go.mod", goMod("example.com/newer", "toolchain go1.99.1"));
  await addFailing(place("broken", "store", "gcp"), /Go cannot read teams\/broken\/go\.mod: .*|unknown directive/, {
    "main.go": MAIN,
  });
  await write("teams/broken/go.mod", "module example.com/broken\n\nrequireee example.com/lib v1.0.0\n");
  await addFailing(
    place("changed", "store", "gcp"),
    /example\.com\/lib@v1\.0\.0 is not what teams\/changed\/go\.sum says/,
    { "main.go": importing("example.com/lib") },
  );
  await write("teams/changed/go.mod", goMod("example.com/changed", lib));
  await write(
    "teams/changed/go.sum",
    `example.com/lib v1.0.0 h1:${"A".repeat(43)}=\nexample.com/lib v1.0.0/go.mod h1:${"A".repeat(43)}=\n`,
  );
  await addFailing(place("cycle", "store", "aws"), /import cycle not allowed/, {
    "main.go": importing("example.com/estate/cycle/a"),
  });
  await write("cycle/a/a.go", 'package a\n\nimport _ "example.com/estate/cycle/b"\n');
  await write("cycle/b/b.go", 'package b\n\nimport _ "example.com/estate/cycle/a"\n');

  // A file that is far too large to be read or copied by accident (sparse: it takes no room).
  const large = await open(path.join(source, `${sound[0] ?? ""}/large.bin`), "w");
  await large.truncate(2 * 1024 ** 3);
  await large.close();

  for (let index = 0; sound.length + Object.keys(failing).length < count; index += 1) {
    const provider = PROVIDERS[index % PROVIDERS.length] ?? "";
    const own = IMPORTS[(index * 3 + (index % PROVIDERS.length)) % IMPORTS.length] ?? "fmt";
    const imports = index % 2 === 0 ? [own] : [own, "example.com/estate/kit"];
    await addSound(place(`t${index % 7}`, `m${index}`, provider), { "main.go": importing(...imports) });
  }
  return {
    ...{ source, pattern: FOREIGN_PATTERN, sound: sound.sort(), failing, skipped: skipped.sort() },
    env: await writeModuleProxy(path.join(root, "proxy")),
  };
}

/** A module proxy in a folder that serves example.com/lib v1.0.0, with the settings by which Go asks it first. */
async function writeModuleProxy(folder: string): Promise<NodeJS.ProcessEnv> {
  const files = { "go.mod": goMod("example.com/lib"), "lib.go": "package lib\n" };
  await writeModuleVersion(folder, "example.com/lib", "v1.0.0", files);
  return { GOPROXY: `file://${folder},${process.env.GOPROXY ?? "https://proxy.golang.org"}`, GONOSUMDB: "example.com" };
}

async function writeText(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}
