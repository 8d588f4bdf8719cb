import { realpath, rm } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../../progress.ts";
import { readBuildId } from "../build-id.ts";
import { IMAGE_PATHS } from "../contract.ts";
import { runMounted, type GoMounts } from "../go/command.ts";
import { compileMemory } from "../memory.ts";
import { faultOf, parseJsonStream, type ListedPackage } from "../go/list.ts";
import { packageArguments, packageKey } from "../graph.ts";
import type { Program } from "../programs.ts";
import { readOutput } from "./entries.ts";

/** Where Go compiles again: a cache of modules that stays as it is, and a build cache of the check's own. */
export interface CheckedBuild {
  readonly mounts: GoMounts;
  /** A copy of the repository. */
  readonly source: string;
  readonly progress: Progress;
}

/** What could not be made again from what the cache has, with Go's reason. */
export interface FailedBuild {
  readonly of: string;
  readonly reason: string;
}

export interface CompiledPackages {
  /** Package keys by the text of their compile action in build IDs. */
  readonly owners: ReadonlyMap<string, string>;
  readonly failed: readonly FailedBuild[];
}

/** A finished program, and the text of its link action in build IDs. */
export interface LinkedProgram {
  readonly directory: string;
  readonly link: string;
  readonly output: string;
}

const FIELDS = "ImportPath,Dir,Standard,Module,BuildID,Error,DepsErrors";

/** Runs Go without network. What it may write to the module cache is gone when it ends: that cache is what is checked. */
const GO_SCRIPT = `
mkdir /var/cache/.upper-modules /var/cache/.work-modules
mount -t overlay -o lowerdir=${IMAGE_PATHS.goModCache},upperdir=/var/cache/.upper-modules,workdir=/var/cache/.work-modules overlay ${IMAGE_PATHS.goModCache}
exec ${IMAGE_PATHS.goRoot}/bin/go "$@"`;

function runChecked(
  build: CheckedBuild,
  args: readonly string[],
  directory: string,
  onStderrLine?: (line: string) => void,
) {
  return runMounted(build.mounts, ["/bin/sh", "-euc", GO_SCRIPT, "go", ...args], {
    cwd: path.join(build.source, directory),
    offline: true,
    environment: { ...compileMemory().environment, GOPROXY: "off" },
    allowFailure: true,
    ...(onStderrLine === undefined ? {} : { onStderrLine }),
  });
}

/**
 * Compiles what the build cache lacks of all that programs are built from, as one build graph for each go.mod: about as
 * many packages as `expected`.
 */
export async function compilePackages(
  build: CheckedBuild,
  programs: readonly Program[],
  expected: number,
): Promise<CompiledPackages> {
  const owners = new Map<string, string>();
  const failed = new Map<string, string>();
  const root = await realpath(build.source);
  let compiled = 0;
  for (const [goModule, members] of Map.groupBy(programs, (program) => program.goModule)) {
    const args = [
      "list",
      "-e",
      "-deps",
      "-v",
      "-export",
      `-p=${compileMemory().procs}`,
      ...build.mounts.contract.flags,
      `-json=${FIELDS}`,
      "--",
    ];
    const { code, stdout, stderr } = await runChecked(
      build,
      [...args, ...packageArguments(members)],
      goModule,
      (line) => {
        compiled += 1;
        build.progress.update(`compiling ${line}`, compiled, Math.max(compiled, expected));
      },
    );
    if (code !== 0) failed.set(path.posix.join(goModule, "go.mod"), stderr.trim());
    const packages = code === 0 ? parseJsonStream<ListedPackage & { readonly BuildID?: string }>(stdout) : [];
    for (const entry of packages) {
      const key = packageKey(entry, entry.ImportPath, root);
      if (entry.BuildID !== undefined) owners.set(entry.BuildID.split("/", 1)[0] ?? "", key);
      const fault = faultOf(entry);
      if (fault !== undefined) failed.set(key, fault.trim());
    }
  }
  return { owners, failed: [...failed].map(([of, reason]) => ({ of, reason })) };
}

/**
 * Builds one program as pulumi-language-go does, to `out`, which is removed again. The linker runs unless the build cache
 * has the program.
 */
export async function linkProgram(
  build: CheckedBuild,
  program: Program,
  out: string,
): Promise<LinkedProgram | FailedBuild> {
  const { directory } = program;
  const { code, stderr } = await runChecked(
    build,
    ["build", "-o", out, ...build.mounts.contract.flags, "."],
    directory,
  );
  if (code !== 0) return { of: directory, reason: stderr.trim() };
  try {
    const buildId = await readBuildId(out);
    if (buildId === undefined) return { of: directory, reason: "the program that Go made has no build ID" };
    return { directory, link: buildId.split("/", 1)[0] ?? "", output: (await readOutput(out)).hash };
  } finally {
    await rm(out, { force: true });
  }
}
