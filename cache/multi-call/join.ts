import { mkdtemp } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { lastLines } from "../../toolchain/process.ts";
import type { BuildContract } from "../contract.ts";
import { writeOverlay } from "./overlay.ts";
import type { ProgramGroup } from "./program-groups.ts";
import { GO, type ReadProgram } from "./program-packages.ts";
import { blamed, reachFault, shortFault } from "./reach.ts";
import type { Stage } from "./stage.ts";

/** What every build of one provider has in common. */
export interface JoinContext {
  readonly contract: BuildContract;
  readonly stage: Stage;
  /** Commands by the programs' directories. */
  readonly names: ReadonlyMap<string, string>;
  readonly progress: Progress;
}

/** An executable in the stage's folder. */
export interface Executable {
  /** Its path in that folder. */
  readonly binary: string;
  readonly members: readonly ReadProgram[];
  readonly linkSeconds: number;
  /** Why its one program stands alone. */
  readonly apart?: string;
  /** That program was not seen to reach its main. */
  readonly unproven?: true;
}

/** Builds a group as one executable; where that fails, without the programs at fault, each of which becomes one of its own. */
export async function joinPrograms(
  context: JoinContext,
  group: ProgramGroup<ReadProgram>,
): Promise<readonly Executable[]> {
  const { fault, binary, linkSeconds } = await attempt(context, group);
  if (fault === undefined) return [{ binary, linkSeconds, members: group.members }];

  const culprits = await culpritsIn(context, group, fault);
  const others = { ...group, members: group.members.filter((member) => !culprits.has(member)) };
  const executables: Executable[] = [];
  // Where each half is sound, it is one that cannot bear the other.
  for (const part of culprits.size > 0 ? [others] : halvesOf(group)) {
    if (part.members.length > 0) executables.push(...(await joinPrograms(context, part)));
  }
  for (const [member, reason] of culprits) executables.push(await buildAlone(context, group, member, reason));
  return executables;
}

async function attempt(context: JoinContext, group: ProgramGroup<ReadProgram>) {
  const overlay = await writeOverlay(context.stage, group, context.names);
  const built = await goBuild(context, group.goModule, overlay.target, [`-overlay=${overlay.file}`]);
  const fault = built.fault ?? (await faultOfCalls(context, built.binary, group.members));
  return { ...built, isBuilt: built.fault === undefined, fault };
}

/** The programs that keep a group from being one executable, with what is wrong: in its halves where no output names one. */
async function culpritsIn(
  context: JoinContext,
  group: ProgramGroup<ReadProgram>,
  fault: string,
): Promise<ReadonlyMap<ReadProgram, string>> {
  const { members } = group;
  const named = members.length === 1 ? members[0] : blamed(fault, members);
  if (named !== undefined) return new Map([[named, shortFault(fault)]]);
  const found = new Map<ReadProgram, string>();
  for (const half of halvesOf(group)) {
    const tried = await attempt(context, half);
    const inside = tried.fault === undefined ? [] : await culpritsIn(context, half, tried.fault);
    for (const [member, reason] of inside) found.set(member, reason);
  }
  return found;
}

function halvesOf<T extends ProgramGroup<ReadProgram>>(group: T): readonly T[] {
  const { members } = group;
  const middle = Math.ceil(members.length / 2);
  return [members.slice(0, middle), members.slice(middle)].map((half) => ({ ...group, members: half }));
}

/** Builds a program as a group of one; as Pulumi would where only its own main package can be what it is. */
async function buildAlone(
  context: JoinContext,
  group: ProgramGroup<ReadProgram>,
  member: ReadProgram,
  reason: string,
): Promise<Executable> {
  const { directory, goModule } = member.program;
  context.progress.note(`${directory} gets a binary of its own: ${reason}`);
  const members = [member];
  const { fault, isBuilt, binary, linkSeconds } = await attempt(context, { ...group, members });
  const alone = { binary, linkSeconds, members, apart: reason };
  if (fault === undefined) return alone;
  if (isBuilt) return { ...alone, unproven: true };

  const plain = await goBuild(context, goModule, `./${path.posix.relative(goModule, directory)}`, []);
  if (plain.fault === undefined) return { ...plain, members, apart: reason, unproven: true };
  throw new KilnError("failed", `${directory} cannot be built as a binary:\n${lastLines(plain.fault, 12)}`, {
    mend: "Correct the program, or name it with --allow-failed.",
  });
}

async function goBuild({ contract, stage }: JoinContext, goModule: string, target: string, flags: readonly string[]) {
  const folder = await mkdtemp(path.join(stage.folder, "built-"));
  const binary = `${path.basename(folder)}/program`;
  const output = path.posix.join(stage.seenFolder, binary);
  const args = ["build", ...contract.flags, ...flags, "-o", output, target];
  const start = performance.now();
  const { code, stderr } = await stage.run(stage.seenSource(goModule), [GO, ...args]);
  const linkSeconds = (performance.now() - start) / 1_000;
  return { binary, linkSeconds, ...(code === 0 ? {} : { fault: stderr }) };
}

/** What is built for another machine is believed: it cannot be called here. */
async function faultOfCalls(
  { contract, stage, names }: JoinContext,
  binary: string,
  members: readonly ReadProgram[],
): Promise<string | undefined> {
  if (`${contract.goos}/${contract.goarch}` !== ownPlatform()) return undefined;
  const commands = members.map(({ program }) => names.get(program.directory) ?? program.directory);
  return reachFault(stage, binary, commands);
}
