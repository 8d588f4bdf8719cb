import path from "node:path";
import { goWorkOf, readText } from "../source-files.ts";

/** The lines of a go.mod or go.work that say which Go they want: `1.25.0`, `go1.26.1`. */
export interface GoDirectives {
  readonly go?: string;
  readonly toolchain?: string;
}

/** Reads the `go` and `toolchain` lines of a go.mod or go.work. */
export function goDirectives(text: string): GoDirectives {
  const [, go] = /^[ \t]*go[ \t]+(\S+)/m.exec(text) ?? [];
  const [, toolchain] = /^[ \t]*toolchain[ \t]+(\S+)/m.exec(text) ?? [];
  return { ...(go === undefined ? {} : { go }), ...(toolchain === undefined ? {} : { toolchain }) };
}

/**
 * Compares two Go versions as Go's own `go/version` does (`1.26`, `go1.26.8`, `1.27rc1`): negative, zero or positive. Text
 * that is no version, such as `default` or `local`, is older than every version.
 */
export function compareGoVersions(left: string, right: string): number {
  const [a, b] = [numbersOf(left), numbersOf(right)];
  for (const [index, number] of a.entries()) {
    const difference = number - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Major, minor, kind (a bare language version, beta, release candidate, release) and its number. Up to 1.20, 1.20 is 1.20.0. */
function numbersOf(version: string): readonly number[] {
  const match = /^(?:go)?(\d+)(?:\.(\d+))?(?:\.(\d+)|(beta|rc)(\d+))?/.exec(version);
  if (!match) return [-1, 0, 0, 0];
  const [, major, minor, patch, kind, number] = match;
  const bare = patch === undefined && kind === undefined && Number(minor ?? 0) > 20;
  const release = bare ? 0 : kind === "beta" ? 1 : kind === "rc" ? 2 : 3;
  return [Number(major), Number(minor ?? 0), release, Number(patch ?? number ?? 0)];
}

/**
 * What a Go module of `source` asks for beyond `goVersion`, with the file that says so; undefined where it asks for nothing
 * newer. The image never fetches another toolchain (GOTOOLCHAIN=local), so such a program would fail or build unlike its author meant.
 */
export async function readNewerGo(source: string, goModule: string, goVersion: string): Promise<string | undefined> {
  const goWork = await goWorkOf(source, goModule);
  for (const file of [path.posix.join(goModule, "go.mod"), ...(goWork === undefined ? [] : [goWork])]) {
    const { go, toolchain } = goDirectives(await readText(path.join(source, file)));
    for (const [line, version] of Object.entries({ go, toolchain })) {
      if (version === undefined || compareGoVersions(version, goVersion) <= 0) continue;
      return `${file} has the line "${line} ${version}", which is newer than the image's ${goVersion}: lower it, or raise Go in toolchain/pins.json`;
    }
  }
  return undefined;
}
