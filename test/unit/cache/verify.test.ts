import { chmod, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { verifyImage } from "../../../cache/verify.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT, writeText } from "./cache-directory.ts";

function program(directory: string) {
  return { provider: "p", module: "m", directory, goModule: "." };
}

describe("verifyImage", () => {
  /** Runs here what a container was made for, on the folder that was to be copied into it. */
  const DOCKER = `#!/bin/sh
cd "$(dirname "$0")"
case "$1" in
  create)
    while [ "$1" != --entrypoint ]; do shift; done
    shift 4
    printf '%s\\0' "$@" >created ;;
  cp) printf '%s' "\${2%/.}" >copied ;;
  start)
    export root="$(cat copied)"
    exec xargs -0 -a created /bin/sh -c 'script=$1; shift 3; exec /bin/sh -euc "$script" sh "$root" "$@"' sh ;;
esac
`;
  /** Notes where and how it was called; compiles or fails as files beside the program say. */
  const GO = `#!/bin/sh
{ pwd; printf '%s\\n' "$@"; echo; } >>"$GO_CALLS"
[ ! -e compiles.go ] || echo '/usr/local/go/pkg/tool/compile -o x -p net/http -complete' >&2
[ ! -e fails.go ] || { echo "./main.go:3:2: undefined: x" >&2; exit 1; }
`;
  let home: string;

  beforeEach(async () => {
    home = await temporaryDirectory();
    for (const [name, text] of Object.entries({ docker: DOCKER, go: GO })) {
      await writeText(path.join(home, "bin", name), text);
      await chmod(path.join(home, "bin", name), 0o755);
    }
    await writeText(path.join(home, "source/go.mod"), "module x\n");
  });

  async function verify(files: Readonly<Record<string, string>>) {
    const programs = Object.entries(files).map(([directory, provider]) => ({ ...program(directory), provider }));
    for (const { directory } of programs)
      await writeText(path.join(home, "source", directory, "main.go"), "package main\n");
    const env = { PATH: `${path.join(home, "bin")}:/usr/bin:/bin`, GO_CALLS: path.join(home, "calls") };
    const engine = { docker: path.join(home, "bin/docker"), env };
    const update = vi.fn();
    const progress = { ...silent, update };
    const found = await verifyImage(engine, "image", CONTRACT, path.join(home, "source"), programs, progress);
    return { found, update, calls: (await readFile(env.GO_CALLS, "utf8")).trim().split("\n\n") };
  }

  it("builds every program, and the first of each provider once more to another path", async () => {
    const { found, update, calls } = await verify({ "m/a": "aws", "m/b c": "aws", "m/d": "gcp", "m/e": "gcp" });
    const turns = calls.map((call) => {
      const [cwd = "", ...args] = call.split("\n");
      expect(args.slice(0, -2)).toEqual(["build", "-x", ...CONTRACT.flags, "-o"]);
      return `${cwd.slice(cwd.indexOf("/m/") + 1)} ${path.basename(args.at(-2) ?? "")}`;
    });
    expect(turns).toEqual(["m/a first", "m/a second", "m/b c first", "m/d first", "m/d second", "m/e first"]);
    expect(found).toMatchObject({ compileActions: 0, passed: true });
    expect(found.programs.map(({ secondSeconds }) => secondSeconds === undefined)).toEqual([false, true, false, true]);
    expect(update.mock.calls.map(([text, done, total]) => [text as string, done as number, total as number])).toEqual([
      ["verified m/a", 1, 4],
      ["verified m/b c", 2, 4],
      ["verified m/d", 3, 4],
      ["verified m/e", 4, 4],
    ]);
  });

  it("goes on after a program that fails, which it does not build again, and one that compiles", async () => {
    await writeText(path.join(home, "source/m/a/fails.go"), "package main\n");
    await writeText(path.join(home, "source/m/b/compiles.go"), "package main\n");
    const { found, calls } = await verify({ "m/a": "aws", "m/b": "gcp", "m/c": "gcp" });
    expect(calls).toHaveLength(4);
    expect(found).toMatchObject({
      programs: [
        { directory: "m/a", compiled: [], error: "go build exited with 1\n./main.go:3:2: undefined: x" },
        { directory: "m/b", compiled: ["net/http"] },
        { directory: "m/c", compiled: [] },
      ],
      compileActions: 1,
      passed: false,
    });
  });

  it("gives builds a copy without what no build reads, and leaves the source as it is", async () => {
    await writeText(path.join(home, "source/m/a/secret.txt"), "s3cret");
    await writeText(path.join(home, "bin/go"), `#!/bin/sh\nls >>"$GO_CALLS"\ntouch written\n`);
    const { calls } = await verify({ "m/a": "aws" });
    expect(calls.join("\n").split("\n")).toEqual(["main.go", "main.go", "written"]);
    expect((await readdir(path.join(home, "source/m/a"))).sort()).toEqual(["main.go", "secret.txt"]);
  });
});
