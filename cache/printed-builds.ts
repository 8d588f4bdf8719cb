import { KilnError } from "../errors.ts";
import type { Program } from "./programs.ts";
import { verificationOf, type ProgramCheck, type ServedBuild, type Verification } from "./verification.ts";

/** What was printed of one program's builds. */
interface PrintedBuilds {
  readonly compiled: string[];
  readonly seconds: number[];
  readonly errors: string[];
  readonly served: ServedBuild[];
  open: boolean;
}

/** Reads what the build script printed. Throws when a program is missing from it: nothing is taken for warm unseen. */
export function parseBuilds(text: string, programs: readonly Program[]): Verification {
  const checks = new Map<string, PrintedBuilds>();
  let current: PrintedBuilds | undefined;
  let directory = "";
  for (const line of text.split("\n")) {
    const head = /^kiln-build (first|second) (\d+) (\S+) (\S+) (.*)$/.exec(line);
    if (head) {
      directory = head[5] ?? "";
      current = checks.get(directory) ?? { compiled: [], seconds: [], errors: [], served: [], open: true };
      current.open = true;
      current.seconds.push(Number(head[4]) - Number(head[3]));
      if (head[2] !== "0") current.errors.push(`go build exited with ${head[2] ?? ""}`);
      checks.set(directory, current);
    } else if (line === "kiln-end") {
      if (current) current.open = false;
    } else if (line.startsWith("kiln-error ")) {
      current?.errors.push(line.slice("kiln-error ".length));
    } else if (line.startsWith("kiln-stats ")) {
      current?.served.push(parseStats(line.slice("kiln-stats ".length)));
    } else {
      const importPath = / -p (\S+) /.exec(line)?.[1];
      if (importPath !== undefined) current?.compiled.push(importPath === "main" ? `main of ${directory}` : importPath);
    }
  }
  return verificationOf(
    programs.map((program) => {
      const check = checks.get(program.directory);
      if (!check) throw new KilnError("failed", `the build of ${program.directory} printed nothing`);
      if (check.open) throw new KilnError("failed", `the build of ${program.directory} broke off`);
      return checkOf(program, check);
    }),
  );
}

function checkOf({ directory }: Program, { compiled, seconds, errors, served: stats }: PrintedBuilds): ProgramCheck {
  const [firstSeconds = 0, secondSeconds] = seconds;
  const [served] = stats;
  const kept = stats.reduce((sum, build) => sum + build.compiled, 0);
  const unseen =
    kept > compiled.length ? [`gocache was given ${kept} compiled packages, Go showed ${compiled.length}`] : [];
  const faults = [...errors, ...unseen];
  return {
    ...{ directory, compiled: [...new Set(compiled)].sort(), firstSeconds },
    ...(secondSeconds === undefined ? {} : { secondSeconds }),
    ...(served === undefined ? {} : { served }),
    ...(faults.length > 0 ? { error: faults.join("\n") } : {}),
  };
}

/** A line of gocache's figures. Throws where it is none: a witness that cannot be understood is none. */
function parseStats(line: string): ServedBuild {
  const { hits, misses, puts, scratchBytes } = JSON.parse(line) as {
    readonly hits: { readonly pack: number; readonly own: number };
    readonly misses: number;
    readonly puts: { readonly compile: number };
    readonly scratchBytes: number;
  };
  return { hits: hits.pack + hits.own, misses, compiled: puts.compile, scratchBytes };
}
