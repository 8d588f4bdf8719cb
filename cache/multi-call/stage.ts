import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { RunResult } from "../../toolchain/process.ts";
import { runMounted, type GoMounts } from "../go/command.ts";
import { compileMemory } from "../memory.ts";
import type { StagedSource } from "../staged-source.ts";

/** Where the source and the folder for generated files stand for every command: paths that binaries may name are always these. */
const PLACES = { source: "/mnt/source", work: "/mnt/work" } as const;

/** A place where programs are built and tried: offline, the source at a fixed path, a folder beside it to write to. */
export interface Stage {
  /** The folder for generated files as this process sees it. */
  readonly folder: string;
  /** The same as commands see it. */
  readonly seenFolder: string;
  /** A directory of the staged source as this process sees it. */
  sourcePath(directory: string): string;
  /** The same as commands see it. */
  seenSource(directory: string): string;
  /** Runs a command in a directory, given as commands see it, and returns its end whatever it is. */
  run(directory: string, command: readonly string[]): Promise<RunResult>;
}

const SCRIPT = `
exec 5<"$1" 6<"$2"
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir ${PLACES.source} ${PLACES.work}
mount --bind /proc/self/fd/5 ${PLACES.source}
mount --bind /proc/self/fd/6 ${PLACES.work}
exec 5<&- 6<&-
cd "$3"
shift 3
exec "$@"`;

/** Runs `work` on a stage, whose folder is gone afterwards. `discardWrites` keeps what is compiled out of the build cache. */
export async function withStage<T>(
  mounts: GoMounts,
  { root, inside }: StagedSource,
  { discardWrites = false }: { readonly discardWrites?: boolean },
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-multi-call-"));
  try {
    return await work({
      folder,
      seenFolder: PLACES.work,
      sourcePath: (directory) => path.join(root, inside, directory),
      seenSource: (directory) => path.posix.join(PLACES.source, inside, directory),
      run: (directory, command) =>
        runMounted(mounts, ["/bin/sh", "-euc", SCRIPT, "sh", root, folder, directory, ...command], {
          cwd: root,
          environment: compileMemory().environment,
          offline: true,
          discardWrites,
          allowFailure: true,
        }),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
