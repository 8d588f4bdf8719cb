import { rm } from "node:fs/promises";
import path from "node:path";
import { messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { stillRuns, thisOwner, type LockOwner } from "../../toolchain/lock.ts";
import { Container, INSTANCE_LABEL } from "../container-run.ts";
import { dockerCall } from "../docker-call.ts";
import type { ContainerEngine } from "../offline-container.ts";
import { copyOutput } from "./copied-output.ts";
import { FOLDER_LABEL, JOB_LABEL, OWNER_LABEL } from "./docker-plan.ts";
import { bytesOf } from "./limits.ts";
import { finalResult } from "./final-result.ts";
import { JobHistory, readJob } from "./history.ts";
import { INPUT_FOLDER } from "./input-folder.ts";
import { liftGuard } from "./metadata-guard.ts";
import { BRIDGE_PREFIX, NETWORK_PREFIX, removeNetwork } from "./network.ts";
import { stopSeconds } from "./timeouts.ts";

interface Labelled {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const LOGS_BYTES = 64 * 1024 * 1024;

/**
 * Ends what a killed kiln of this machine left behind: its containers, whose output goes to the jobs' folders, and its
 * networks. Only what carries the mark of a process that is certainly gone is touched. Returns the names of the containers.
 */
export async function settleOrphans(engine: ContainerEngine, progress: Progress): Promise<readonly string[]> {
  const settled: string[] = [];
  const [containers, networks] = await Promise.all([orphans(engine, "container"), orphans(engine, "network")]);
  for (const orphan of containers) {
    progress.note(`the job container ${orphan.name} was left by a run that was killed: ending it`);
    try {
      await settle(engine, orphan);
      settled.push(orphan.name);
    } catch (error) {
      progress.note(`${orphan.name} is left as it is: ${messageOf(error)}`);
    }
  }
  for (const { name } of networks) {
    if (!name.startsWith(NETWORK_PREFIX)) continue;
    await removeNetwork(engine, name);
    await liftGuard(BRIDGE_PREFIX + name.slice(NETWORK_PREFIX.length));
  }
  return settled;
}

async function orphans(engine: ContainerEngine, kind: "container" | "network"): Promise<readonly Labelled[]> {
  const list = kind === "container" ? ["ps", "--all"] : ["network", "ls"];
  const name = kind === "container" ? "{{.Names}}" : "{{.Name}}";
  const labels = [OWNER_LABEL, FOLDER_LABEL, INSTANCE_LABEL, JOB_LABEL];
  const format = [name, ...labels.map((label) => `{{.Label "${label}"}}`)].join("\t");
  const args = [...list, "--no-trunc", "--filter", `label=${OWNER_LABEL}`, "--format", format];
  const { stdout } = await dockerCall(engine, args);
  const rows = stdout.split("\n").filter((line) => line !== "");
  return rows
    .map((row) => row.split("\t"))
    .map(([first = "", ...values]) => ({
      name: first,
      labels: Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ""])),
    }))
    .filter(({ labels: of }) => isGone(of[OWNER_LABEL] ?? ""));
}

/** Whether a mark is that of a process of this machine that does not run any more. */
export function isGone(mark: string): boolean {
  try {
    const owner = ownerOf(mark);
    const here = thisOwner();
    return owner.host === here.host && owner.space === here.space && !stillRuns(owner);
  } catch {
    return false;
  }
}

/** This process as a label: engines list labels with commas between them, so there is none in it. */
export function ownerMark(owner: LockOwner = thisOwner()): string {
  return Buffer.from(JSON.stringify(owner)).toString("base64url");
}

function ownerOf(mark: string): LockOwner {
  return JSON.parse(Buffer.from(mark, "base64url").toString("utf8")) as LockOwner;
}

async function settle(engine: ContainerEngine, { name, labels }: Labelled): Promise<void> {
  const identity = { name, instance: labels[INSTANCE_LABEL] ?? "" };
  const recorded = await readJob(labels[FOLDER_LABEL] ?? "").catch(() => undefined);
  const graceSeconds = recorded === undefined ? 10 : stopSeconds(recorded.description.timeouts);
  const container = new Container(engine, identity, { graceSeconds }, true);
  const facts = await container.end();
  if (recorded?.result === undefined && recorded !== undefined) {
    const { folder, description } = recorded;
    const copied = await copyOutput(container, folder, bytesOf(description.limits.disk) + LOGS_BYTES);
    const result = finalResult(description, copied.result, { facts, cause: undefined, fault: copied.fault });
    const note = "whoever ran it was killed: a later run ended its container and took its output";
    // Another run may have been at the same, and have had the container to itself.
    const meanwhile = await readJob(folder);
    if (meanwhile.result === undefined) {
      await new JobHistory(folder).end({ ...result, notes: [...(result.notes ?? []), note] });
    }
  }
  await container.remove();
  if (recorded !== undefined) await rm(path.join(recorded.folder, INPUT_FOLDER), { recursive: true, force: true });
}
