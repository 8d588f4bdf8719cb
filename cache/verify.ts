import { randomUUID } from "node:crypto";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { run } from "../toolchain/process.ts";
import { runMounted, type GoMounts } from "./go-command.ts";
import type { BuildContract } from "./contract.ts";
import type { Program } from "./programs.ts";
import { withStagedSource } from "./staged-source.ts";

/** How one program built with nothing but the cache. */
export interface ProgramCheck {
  readonly directory: string;
  /** Import paths that were compiled although they should have been found. Empty is a pass. */
  readonly compiled: readonly string[];
  /** Wall time of the first build to a fresh path, and of the same build to another fresh path. */
  readonly firstSeconds: number;
  readonly secondSeconds: number;
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
 * Builds each program as pulumi-language-go does, twice, to fresh paths, and prints what was compiled. Arguments: the
 * source, the flags as words after `--flags`, then the directories.
 */
const BUILD_SCRIPT = `
source=$1; shift
flags=""
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
count=$1; shift
while [ "$count" -gt 0 ]; do flags="$flags '$1'"; shift; count=$((count - 1)); done
for program; do
  cd "$source/$program"
  for turn in first second; do
    start=$(date +%s.%N)
    code=0
    eval "go build -x $flags -o \\"\\$out/$turn\\" ." 2>"$out/log" || code=$?
    echo "kiln-build $turn $code $start $(date +%s.%N) $program"
    grep -E '/compile -o ' "$out/log" || true
    [ "$code" = 0 ] || { grep -vE '^(WORK=|mkdir|cat|cd |EOF|packagefile|modinfo|echo|rm |mv |cp |/|\\$)' "$out/log" | tail -n 20 | sed 's/^/kiln-error /'; break; }
    rm -f "$out/$turn"
  done
done`;

/**
 * Builds every program from a cache directory: no network, the source at another path, outputs at fresh paths. The cache
 * stays as it is.
 */
export async function verifyCache(
  mounts: GoMounts,
  source: string,
  programs: readonly Program[],
  progress: Progress,
): Promise<Verification> {
  const elsewhere = "/mnt";
  const command = [
    "/bin/sh",
    "-euc",
    `mount --bind "$1" ${elsewhere}; shift; ${BUILD_SCRIPT}`,
    "sh",
    source,
    elsewhere,
  ];
  return collect(programs, progress, (onStdoutLine) =>
    runMounted(mounts, [...command, ...scriptArguments(mounts.contract, programs)], {
      cwd: source,
      offline: true,
      discardWrites: true,
      onStdoutLine,
    }),
  );
}

const CLEAN_UP_MS = 30_000;

/** The client and environment of a container engine, as `docker run` needs them. */
export interface ContainerEngine {
  readonly docker: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Builds every program inside an image as its default user: no network, a copy of the source mounted read-only at a path
 * that warming never saw.
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
    const name = `kiln-verify-${randomUUID()}`;
    const args = [
      ...["run", "--rm", "--name", name, "--network", "none"],
      ...["--mount", `type=bind,source=${root},target=${elsewhere},readonly`],
      ...["--entrypoint", "/bin/sh", image, "-euc", BUILD_SCRIPT, "sh", path.posix.join(elsewhere, inside)],
      ...scriptArguments(contract, programs),
    ];
    try {
      return await collect(programs, progress, (onStdoutLine) =>
        run(engine.docker, args, { env: engine.env, onStdoutLine }),
      );
    } catch (error) {
      // An interrupted client leaves its container behind: a shell that is process 1 ignores what it forwards.
      const signal = AbortSignal.timeout(CLEAN_UP_MS);
      await run(engine.docker, ["rm", "--force", name], { env: engine.env, allowFailure: true, signal });
      throw error;
    }
  });
}

function scriptArguments(contract: BuildContract, programs: readonly Program[]): readonly string[] {
  return [String(contract.flags.length), ...contract.flags, ...programs.map((program) => program.directory)];
}

async function collect(
  programs: readonly Program[],
  progress: Progress,
  build: (onStdoutLine: (line: string) => void) => Promise<{ readonly stdout: string }>,
): Promise<Verification> {
  let done = 0;
  const { stdout } = await build((line) => {
    const program = /^kiln-build second 0 \S+ \S+ (.*)$/.exec(line)?.[1];
    if (program !== undefined) progress.update(`verified ${program}`, ++done, programs.length);
  });
  return parseBuilds(stdout, programs);
}

/** Reads what the build script printed. Throws when a program is missing from it: nothing is taken for warm unseen. */
export function parseBuilds(text: string, programs: readonly Program[]): Verification {
  const checks = new Map<string, { compiled: string[]; seconds: number[]; errors: string[] }>();
  let current: { compiled: string[]; seconds: number[]; errors: string[] } | undefined;
  let directory = "";
  for (const line of text.split("\n")) {
    const head = /^kiln-build (first|second) (\d+) (\S+) (\S+) (.*)$/.exec(line);
    if (head) {
      directory = head[5] ?? "";
      current = checks.get(directory) ?? { compiled: [], seconds: [], errors: [] };
      current.seconds.push(Number(head[4]) - Number(head[3]));
      if (head[2] !== "0") current.errors.push(`go build exited with ${head[2] ?? ""}`);
      checks.set(directory, current);
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
    const [firstSeconds = 0, secondSeconds = 0] = check.seconds;
    if (check.seconds.length < 2 && check.errors.length === 0)
      throw new KilnError("failed", `the build of ${program.directory} broke off after its first turn`);
    return {
      directory: program.directory,
      compiled: [...new Set(check.compiled)].sort(),
      firstSeconds,
      secondSeconds,
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
