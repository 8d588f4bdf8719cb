import path from "node:path";
import { KilnError } from "../errors.ts";
import { runOffline, type ContainerEngine } from "../execution/offline-container.ts";
import type { Progress } from "../progress.ts";
import { runMounted, type GoMounts } from "./go/command.ts";
import type { BuildContract } from "./contract.ts";
import type { Program } from "./programs.ts";
import { withStagedSource } from "./staged-source.ts";

/** How one program built with nothing but the cache. */
export interface ProgramCheck {
  readonly directory: string;
  /** Import paths that were compiled although they should have been found. Empty is a pass. */
  readonly compiled: readonly string[];
  /** Wall time of the build to a fresh path. */
  readonly firstSeconds: number;
  /** Wall time of the same build to another fresh path; only of the first program of each provider. */
  readonly secondSeconds?: number;
  /** What Go said where the build failed outright. */
  readonly error?: string;
}

export interface Verification {
  readonly programs: readonly ProgramCheck[];
  /** Compile actions in all: 0 is a warm cache. */
  readonly compileActions: number;
  readonly passed: boolean;
}

/**
 * Builds each program as pulumi-language-go does, to fresh paths, and prints what was compiled. Arguments: the source, how
 * many flags follow, the flags, then a number of turns and a directory for each program.
 */
const BUILD_SCRIPT = `
source=$1; shift
flags=""
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
count=$1; shift
while [ "$count" -gt 0 ]; do flags="$flags '$1'"; shift; count=$((count - 1)); done
while [ "$#" -gt 0 ]; do
  turns=$1; program=$2; shift 2
  cd "$source/$program"
  for turn in $turns; do
    start=$(date +%s.%N)
    code=0
    eval "go build -x $flags -o \\"\\$out/$turn\\" ." 2>"$out/log" || code=$?
    printf '%s\\n' "kiln-build $turn $code $start $(date +%s.%N) $program"
    grep -E '/compile -o ' "$out/log" || true
    [ "$code" = 0 ] || { grep -vE '^(WORK=|mkdir|cat|cd |EOF|packagefile|modinfo|echo|rm |mv |cp |/|\\$)' "$out/log" | tail -n 20 | sed 's/^/kiln-error /'; echo kiln-end; break; }
    echo kiln-end
    rm -f "$out/$turn"
  done
done`;

/**
 * Builds every program from a cache directory: no network, a copy of the source at another path, outputs at fresh paths. The
 * cache stays as it is.
 */
export async function verifyCache(
  mounts: GoMounts,
  source: string,
  programs: readonly Program[],
  progress: Progress,
): Promise<Verification> {
  const elsewhere = "/mnt";
  const script = `mount --bind "$1" ${elsewhere}; shift; ${BUILD_SCRIPT}`;
  return withStagedSource(source, programs, ({ root, inside }) => {
    const command = ["/bin/sh", "-euc", script, "sh", root, path.posix.join(elsewhere, inside)];
    return collect(programs, progress, (onStdoutLine) =>
      runMounted(mounts, [...command, ...scriptArguments(mounts.contract, programs)], {
        cwd: root,
        offline: true,
        discardWrites: true,
        onStdoutLine,
      }),
    );
  });
}

/**
 * Builds every program inside an image as its default user: no network, a copy of the source, which that user cannot
 * change, at a path that warming never saw.
 */
export function verifyImage(
  engine: ContainerEngine,
  image: string,
  contract: BuildContract,
  source: string,
  programs: readonly Program[],
  progress: Progress,
): Promise<Verification> {
  return withStagedSource(source, programs, async ({ root, inside }) => {
    const elsewhere = "/workspace/elsewhere";
    const script = [BUILD_SCRIPT, "sh", path.posix.join(elsewhere, inside), ...scriptArguments(contract, programs)];
    return collect(programs, progress, (onStdoutLine) =>
      runOffline(engine, {
        image,
        platform: `${contract.goos}/${contract.goarch}`,
        command: ["/bin/sh", "-euc", ...script],
        copy: { from: root, to: elsewhere },
        onStdoutLine,
      }),
    );
  });
}

function scriptArguments(contract: BuildContract, programs: readonly Program[]): readonly string[] {
  const timedTwice = new Set([...Map.groupBy(programs, ({ provider }) => provider).values()].map(([first]) => first));
  const turns = programs.flatMap((program) => [timedTwice.has(program) ? "first second" : "first", program.directory]);
  return [String(contract.flags.length), ...contract.flags, ...turns];
}

async function collect(
  programs: readonly Program[],
  progress: Progress,
  build: (onStdoutLine: (line: string) => void) => Promise<{ readonly stdout: string }>,
): Promise<Verification> {
  let done = 0;
  const { stdout } = await build((line) => {
    const program = /^kiln-build first \d+ \S+ \S+ (.*)$/.exec(line)?.[1];
    if (program !== undefined) progress.update(`verified ${program}`, ++done, programs.length);
  });
  return parseBuilds(stdout, programs);
}

/** Reads what the build script printed. Throws when a program is missing from it: nothing is taken for warm unseen. */
export function parseBuilds(text: string, programs: readonly Program[]): Verification {
  const checks = new Map<string, { compiled: string[]; seconds: number[]; errors: string[]; open: boolean }>();
  let current: { compiled: string[]; seconds: number[]; errors: string[]; open: boolean } | undefined;
  let directory = "";
  for (const line of text.split("\n")) {
    const head = /^kiln-build (first|second) (\d+) (\S+) (\S+) (.*)$/.exec(line);
    if (head) {
      directory = head[5] ?? "";
      current = checks.get(directory) ?? { compiled: [], seconds: [], errors: [], open: true };
      current.open = true;
      current.seconds.push(Number(head[4]) - Number(head[3]));
      if (head[2] !== "0") current.errors.push(`go build exited with ${head[2] ?? ""}`);
      checks.set(directory, current);
    } else if (line === "kiln-end") {
      if (current) current.open = false;
    } else if (line.startsWith("kiln-error ")) {
      current?.errors.push(line.slice("kiln-error ".length));
    } else {
      const importPath = / -p (\S+) /.exec(line)?.[1];
      if (importPath !== undefined) current?.compiled.push(importPath === "main" ? `main of ${directory}` : importPath);
    }
  }
  const results = programs.map((program): ProgramCheck => {
    const check = checks.get(program.directory);
    if (!check) throw new KilnError("failed", `the build of ${program.directory} printed nothing`);
    if (check.open) throw new KilnError("failed", `the build of ${program.directory} broke off`);
    const [firstSeconds = 0, secondSeconds] = check.seconds;
    return {
      directory: program.directory,
      compiled: [...new Set(check.compiled)].sort(),
      firstSeconds,
      ...(secondSeconds === undefined ? {} : { secondSeconds }),
      ...(check.errors.length > 0 ? { error: check.errors.join("\n") } : {}),
    };
  });
  const compileActions = results.reduce((count, { compiled }) => count + compiled.length, 0);
  return {
    programs: results,
    compileActions,
    passed: compileActions === 0 && results.every(({ error }) => error === undefined),
  };
}
