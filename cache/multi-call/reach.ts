import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { CHECK_VARIABLE, reachedLine } from "./main-source.ts";
import type { ProgramPackage } from "./program-groups.ts";
import type { Stage } from "./stage.ts";

/** How long the initialisation of all packages may take: it is milliseconds, and none may wait for something. */
const LIMIT_SECONDS = 10;

/**
 * Calls a binary by each name with nothing of the caller's environment, and ends at the first that does not get to its main.
 * Arguments: the folder of the names, then pairs of a name and the line that it prints.
 */
const SCRIPT = `
bin=$1; shift
while [ "$#" -gt 0 ]; do
  name=$1 line=$2 code=0
  shift 2
  printed=$(env -i PATH="$bin:/usr/bin:/bin" HOME="$PWD" TMPDIR="$PWD" ${CHECK_VARIABLE}=1 \\
    timeout -k 1 ${LIMIT_SECONDS} "$name" </dev/null 2>said) || code=$?
  case "$printed" in
    *"$line") [ "$code" != 0 ] || continue ;;
  esac
  cat said >&2
  echo "$name ends with $code before its main" >&2
  exit 1
done`;

/**
 * Why a multi-call binary does not get to the main of every program, or undefined where it does: every call initialises the
 * packages of all programs, and two may claim the same flag, or one may want a variable that others have no use for.
 */
export async function reachFault(stage: Stage, binary: string, names: readonly string[]): Promise<string | undefined> {
  const bin = path.join(path.dirname(binary), "names");
  const scratch = path.join(path.dirname(binary), "scratch");
  for (const folder of [bin, scratch]) await mkdir(path.join(stage.folder, folder));
  for (const name of names) await symlink(`../${path.basename(binary)}`, path.join(stage.folder, bin, name));
  const args = names.flatMap((name) => [name, reachedLine(name)]);
  const script = ["/bin/sh", "-euc", SCRIPT, "sh", path.posix.join(stage.seenFolder, bin), ...args];
  const { code, stderr } = await stage.run(path.posix.join(stage.seenFolder, scratch), script);
  return code === 0 ? undefined : stderr;
}

/**
 * The program that a failed build or call blames: the first that a line of the output names, by a package or a file of its
 * own. A panic names the innermost function first.
 */
export function blamed<T extends ProgramPackage>(output: string, members: readonly T[]): T | undefined {
  // Of two nested programs the inner one is named.
  const deepest = members.toSorted((a, b) => b.importPath.length - a.importPath.length);
  for (const line of output.split("\n")) {
    const found = deepest.find(
      ({ importPath, program }) => mentions(line, importPath) || mentions(line, program.directory),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function mentions(line: string, name: string): boolean {
  const at = line.indexOf(name);
  return at >= 0 && /^(?:$|[^\w-])/.test(line.slice(at + name.length)) && /(?:^|[^\w.-])$/.test(line.slice(0, at));
}

/** What a person needs to see of a fault, in one line: a panic's own words, else the last ones. */
export function shortFault(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const panic = lines.find((line) => /^(?:panic|fatal error): /.test(line));
  return (
    panic ??
    lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .slice(-3)
      .join("; ")
  );
}
