import { chmod, copyFile, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { silent, type Progress } from "../progress.ts";
import type { GoMounts } from "./go/command.ts";
import { commandNames } from "./multi-call/command-names.ts";
import { joinPrograms, type Executable } from "./multi-call/join.ts";
import { programGroups } from "./multi-call/program-groups.ts";
import { readProgramPackages } from "./multi-call/program-packages.ts";
import { withStage, type Stage } from "./multi-call/stage.ts";
import type { Program } from "./programs.ts";
import type { StagedSource } from "./staged-source.ts";

export interface MultiCallOptions {
  readonly provider: string;
  /** The provider's programs; each has been seen to compile. */
  readonly programs: readonly Program[];
  readonly source: StagedSource;
  /** The folder that the binaries are written to. */
  readonly out: string;
  /** All programs that one image may hold: command names are unique among them. The provider's own when absent. */
  readonly among?: readonly Program[];
  readonly progress?: Progress;
  /** Leaves the build cache as it is. */
  readonly discardWrites?: boolean;
}

/** One executable, and the programs in it. */
export interface ProgramBinary {
  /** Its name in the folder. */
  readonly file: string;
  readonly bytes: number;
  /** The command that runs each program in it, by directory; the executable must be called by that name. */
  readonly names: Readonly<Record<string, string>>;
  /** What `go build` took, the small packages of the programs included. */
  readonly linkSeconds: number;
  /**
   * Its one program was not seen to reach its main, which may want something of its surroundings: no check is to call it.
   * It may be no more than what Pulumi builds, and then runs by any name.
   */
  readonly unproven?: true;
}

/** All programs of a provider as executables. */
export interface MultiCall {
  /** Mostly one, named after the provider; the one with most programs comes first. */
  readonly binaries: readonly ProgramBinary[];
  readonly bytes: number;
  /** The command of every program, by directory: `runtime.options.binary` in its Pulumi.yaml. */
  readonly names: Readonly<Record<string, string>>;
  /** Programs that hinder others, and so have a binary of their own, with what is wrong: words for people. */
  readonly apart: Readonly<Record<string, string>>;
}

/**
 * Builds one executable of all programs of a provider, under the contract and with what the caches hold; the same inputs
 * give the same bytes wherever the source stands. What cannot be joined, such as programs of several go.mod files or ones
 * whose packages panic beside others, becomes further executables. Runs the initialisation of every package, cut off from
 * the network. Throws where a program cannot be built even by itself.
 */
export async function buildMultiCall(mounts: GoMounts, options: MultiCallOptions): Promise<MultiCall> {
  const { provider, programs, source, out, among = programs, progress = silent } = options;
  const names = commandNames(among);
  return withStage(mounts, source, options, async (stage) => {
    const context = { contract: mounts.contract, stage, names, progress };
    const packages = await readProgramPackages(stage, mounts.contract, programs);
    const built: Executable[] = [];
    for (const group of programGroups(packages)) built.push(...(await joinPrograms(context, group)));
    built.sort((a, b) => b.members.length - a.members.length);

    await mkdir(out, { recursive: true });
    const binaries: ProgramBinary[] = [];
    for (const [index, file] of binaryFiles(provider, built.length, among).entries()) {
      const executable = built[index];
      if (executable !== undefined) binaries.push(await writeBinary(executable, stage, path.join(out, file), names));
    }
    return {
      binaries,
      bytes: binaries.reduce((sum, { bytes }) => sum + bytes, 0),
      names: Object.fromEntries(binaries.flatMap((binary) => Object.entries(binary.names)).sort()),
      apart: Object.fromEntries(
        built.flatMap(({ members: [first], apart }) => (apart && first ? [[first.program.directory, apart]] : [])),
      ),
    };
  });
}

/** Names of a provider's files: the first is its own, the others are no provider's. */
function binaryFiles(provider: string, count: number, among: readonly Program[]): readonly string[] {
  const providers = new Set(among.map((program) => program.provider));
  const files = [provider];
  for (let number = 2; files.length < count; number += 1) {
    if (!providers.has(`${provider}+${number}`)) files.push(`${provider}+${number}`);
  }
  return files.slice(0, count);
}

async function writeBinary(
  { binary, members, linkSeconds, unproven }: Executable,
  stage: Stage,
  target: string,
  names: ReadonlyMap<string, string>,
): Promise<ProgramBinary> {
  await copyFile(path.join(stage.folder, binary), target);
  await chmod(target, 0o755);
  const { size: bytes } = await stat(target);
  const own = members.map(({ program }) => [program.directory, names.get(program.directory) ?? ""] as const);
  const found = { file: path.basename(target), bytes, names: Object.fromEntries(own), linkSeconds };
  return unproven ? { ...found, unproven } : found;
}
