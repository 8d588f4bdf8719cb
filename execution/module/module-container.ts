import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { messageOf } from "../../errors.ts";
import type { ContainerFacts } from "../container-facts.ts";
import type { ContainerPlan } from "../container-plan.ts";
import type { Container } from "../container-run.ts";
import { SANDBOX_UID } from "../sandbox.ts";
import { readTarredFile, tarOf } from "../tar-file.ts";
import { parseResponse, type ModuleResponse } from "./response.ts";

export const WORKSPACE = "/workspace";
/** Of the workspace, what an injected entrypoint uses: an image that was not made for it has no folder that it may write to. */
export const INJECTED = "run";
/** The label by which people find a run's container; a caller may give two runs the same id. */
export const RUN_LABEL = "dev.kiln.run";
const LARGEST_RESPONSE = 64 * 1024 * 1024;

/** The container is about to be made; about to start; certainly at its end. */
export type RunStage = "making" | "running" | "ended";

export interface ModuleRun {
  readonly plan: ContainerPlan;
  /** `/workspace/input.json` */
  readonly request: string;
  /** Standard input. */
  readonly secrets: string;
  /** A program that is put into the container, for an image without entrypoint. */
  readonly entrypoint?: Buffer | undefined;
  /** Called as the run comes to each stage. */
  readonly onStage: (stage: RunStage) => void;
  readonly onStdoutLine: (line: string) => void;
  readonly onStderrLine: (line: string) => void;
  readonly stop: AbortSignal;
}

export interface ModuleRunEnd {
  readonly facts: ContainerFacts;
  readonly response: ModuleResponse | undefined;
  /** Why there is no response although there should be one. */
  readonly fault?: string;
}

/**
 * Runs a module in a container that is not made yet, to its end, and reads its response, whatever the exit code. The
 * container stays: it may have the only copy of a new state, and goes once that is saved.
 */
export async function runModule(container: Container, run: ModuleRun): Promise<ModuleRunEnd> {
  run.onStage("making");
  await container.create(run.plan);
  await container.copyIn(await workspaceTar(run), WORKSPACE);
  run.onStage("running");
  const { secrets, onStdoutLine, onStderrLine, stop } = run;
  const facts = await container.run({ input: Buffer.from(secrets), onStdoutLine, onStderrLine, stop });
  run.onStage("ended");
  return { facts, ...(await takeResponse(container)) };
}

/** The response of a container that does not run any more. */
export async function takeResponse(container: Container): Promise<Pick<ModuleRunEnd, "response" | "fault">> {
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-response-"));
  try {
    const tar = path.join(folder, "response.tar");
    const places = [WORKSPACE, `${WORKSPACE}/${INJECTED}`];
    let found = false;
    for (const place of places) found ||= await container.copyOut(`${place}/output.json`, tar, LARGEST_RESPONSE);
    if (!found) return { response: undefined };
    return { response: parseResponse((await readTarredFile(tar, LARGEST_RESPONSE)).toString("utf8")) };
  } catch (error) {
    return { response: undefined, fault: `its response cannot be read: ${messageOf(error)}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The request, which only the sandbox's user reads; with an entrypoint, both in a folder of that user's own. */
async function workspaceTar({ request, entrypoint }: ModuleRun): Promise<Buffer> {
  const owner = { uid: SANDBOX_UID, gid: SANDBOX_UID };
  const input = { name: "input.json", content: Buffer.from(request), mode: 0o600, ...owner };
  if (entrypoint === undefined) return tarOf([input]);
  return tarOf([
    { name: INJECTED, content: undefined, mode: 0o700, ...owner },
    { name: `${INJECTED}/kiln-entrypoint`, content: entrypoint, mode: 0o500, ...owner },
    { ...input, name: `${INJECTED}/input.json` },
  ]);
}
