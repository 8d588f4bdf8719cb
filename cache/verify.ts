import path from "node:path";
import { runOffline, type ContainerEngine } from "../execution/offline-container.ts";
import type { Progress } from "../progress.ts";
import { runMounted, type GoMounts } from "./go/command.ts";
import type { BuildContract } from "./contract.ts";
import type { Program } from "./programs.ts";
import { parseBuilds } from "./printed-builds.ts";
import { withStagedSource } from "./staged-source.ts";
import type { Verification } from "./verification.ts";

export type { ProgramCheck, Verification } from "./verification.ts";

/**
 * Builds each program as pulumi-language-go does, to fresh paths, and prints what was compiled. Arguments: the source, how
 * many flags follow, the flags, then a number of turns and a directory for each program.
 */
const BUILD_SCRIPT = `
source=$1; shift
flags=""
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export KILN_GOCACHE_STATS="$out/stats"
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
    if [ -f "$out/stats" ]; then sed 's/^/kiln-stats /' "$out/stats"; rm "$out/stats"; fi
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
