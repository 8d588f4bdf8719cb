import { writeFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { markOf, stillRuns, type ProcessMark } from "../../toolchain/lock.ts";
import type { RunPlaces } from "./run-places.ts";
import { endGroup } from "./step-process.ts";

const NOTE = "process.json";

/** Notes the process of a job's step, at once: a kiln that is killed cannot end it any more. */
export function noteProcess(jobRoot: string, pid: number): void {
  const mark = markOf(pid);
  if (mark !== undefined) writeFileSync(path.join(jobRoot, NOTE), JSON.stringify(mark));
}

export async function forgetProcess(jobRoot: string): Promise<void> {
  await rm(path.join(jobRoot, NOTE), { force: true });
}

/** Ends the steps that a killed run left running: they would write into what the next run makes anew. */
export async function endLeftProcesses({ jobs }: Pick<RunPlaces, "jobs">): Promise<void> {
  const folders = await readdir(jobs).catch(() => []);
  await Promise.all(
    folders.map(async (folder) => {
      const mark = await readMark(path.join(jobs, folder, NOTE));
      if (mark !== undefined && stillRuns(mark)) await endGroup(mark.pid);
      await forgetProcess(path.join(jobs, folder));
    }),
  );
}

async function readMark(file: string): Promise<ProcessMark | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as ProcessMark;
  } catch {
    return undefined;
  }
}
