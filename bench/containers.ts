import { randomUUID } from "node:crypto";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { engineEnvironment, type Engine } from "../toolchain/docker-engine.ts";
import { run } from "../toolchain/process.ts";

/** Builds of programs in one fresh container. */
export interface ContainerBuilds {
  readonly engine: Engine;
  readonly image: string;
  /** What is mounted at a path that no warming saw. */
  readonly root: string;
  /** Directories of programs, relative to `root`, built one after the other. */
  readonly directories: readonly string[];
  /** Flags of `go build`, as Pulumi passes them. */
  readonly flags: readonly string[];
  /** Whether to count compile actions, which slows the build a little. */
  readonly counted?: boolean;
  /** Further flags of `docker run`. */
  readonly container?: readonly string[];
}

export interface ContainerBuild {
  readonly seconds: number;
  /** Packages that were compiled; 0 where they were not counted. */
  readonly compiled: number;
  /** What Go said where it failed. */
  readonly error?: string;
}

/** Arguments: whether to count, then how many flags, the flags, the directories. */
const BUILD_SCRIPT = `
out=$(mktemp -d)
trace=$1; count=$2; shift 2
flags=""
while [ "$count" -gt 0 ]; do flags="$flags '$1'"; shift; count=$((count - 1)); done
number=0
for directory; do
  cd "$directory"
  number=$((number + 1))
  code=0
  start=$(date +%s%N)
  eval "go build $trace $flags -o \\"$out/$number\\" ." > "$out/log" 2>&1 || code=$?
  end=$(date +%s%N)
  echo "bench-build $(((end - start) / 1000)) $(grep -cE '/compile -o ' "$out/log" || true) $code"
  [ "$code" = 0 ] || tail -n 5 "$out/log" | sed 's/^/bench-error /'
done`;

const CLEAN_UP_MS = 60_000;

/**
 * Builds programs in a fresh container without network, each to a fresh path, as the image's default user unless
 * `container` says otherwise.
 */
export async function buildInContainer(builds: ContainerBuilds): Promise<readonly ContainerBuild[]> {
  const { engine, image, root, directories, flags, counted = false, container = [] } = builds;
  const token = randomUUID();
  const at = `/workspace/${token}`;
  const env = engineEnvironment(engine);
  const name = `kiln-bench-${token}`;
  const args = [
    ...["run", "--rm", "--name", name, "--network", "none", "--entrypoint", "/bin/sh", ...container],
    `--mount=type=bind,source=${root},target=${at},readonly`,
    ...[image, "-euc", BUILD_SCRIPT, "sh", counted ? "-x" : "", String(flags.length), ...flags],
    ...directories.map((directory) => path.posix.join(at, directory)),
  ];
  try {
    const { stdout } = await run(engine.docker, args, { env });
    return parseBuilds(stdout, directories.length);
  } catch (error) {
    // Ctrl-C ends the client alone.
    const signal = AbortSignal.timeout(CLEAN_UP_MS);
    await run(engine.docker, ["rm", "--force", name], { env, allowFailure: true, signal }).catch(() => undefined);
    throw error;
  }
}

/** Reads what the script printed. Throws where a build is missing from it. */
export function parseBuilds(text: string, expected: number): readonly ContainerBuild[] {
  const builds: { seconds: number; compiled: number; errors: string[]; code: number }[] = [];
  for (const line of text.split("\n")) {
    const [, microseconds, compiled, code] = /^bench-build (\d+) (\d+) (\d+)$/.exec(line) ?? [];
    if (microseconds !== undefined) {
      builds.push({ seconds: Number(microseconds) / 1e6, compiled: Number(compiled), code: Number(code), errors: [] });
    }
    if (line.startsWith("bench-error ")) builds.at(-1)?.errors.push(line.slice("bench-error ".length));
  }
  if (builds.length !== expected) {
    throw new KilnError("failed", `of ${expected} builds in a container ${builds.length} ended:\n${text.trim()}`);
  }
  return builds.map(({ seconds, compiled, code, errors }) => ({
    seconds,
    compiled,
    ...(code === 0 ? {} : { error: `go build exited with ${code}: ${errors.join("\n")}` }),
  }));
}

/** The middle one of an odd number of values, the mean of the two middle ones of an even number. Throws for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (low === undefined || high === undefined) throw new RangeError("no value has no median");
  return (low + high) / 2;
}
