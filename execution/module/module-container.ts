import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { Container, ContainerFacts, ContainerPlan } from "../container-run.ts";
import { SANDBOX_UID } from "../sandbox.ts";
import { readTarredFile, tarOf } from "../tar-file.ts";
import { parseResponse, type ModuleResponse } from "./response.ts";

export const WORKSPACE = "/workspace";
/** Of the workspace, what an injected entrypoint uses: an image that was not made for it has no folder that it may write to. */
export const INJECTED = "run";
/** The label by which a run's container is found. */
export const RUN_LABEL = "dev.kiln.run";
const LARGEST_RESPONSE = 64 * 1024 * 1024;

export interface ModuleRun {
  readonly plan: ContainerPlan;
  /** `/workspace/input.json` */
  readonly request: string;
  /** Standard input. */
  readonly secrets: string;
  /** A program that is put into the container, for an image without entrypoint. */
  readonly entrypoint?: Buffer | undefined;
  readonly onStdoutLine: (line: string) => void;
  readonly onStderrLine: (line: string) => void;
  readonly stop: AbortSignal;
  readonly progress: Progress;
}

export interface ModuleRunEnd {
  readonly facts: ContainerFacts;
  readonly response: ModuleResponse | undefined;
  /** Why there is no response although there should be one. */
  readonly fault?: string;
}

/**
 * Runs a module in a container that is not made yet, to its end, and takes its response out, whatever the exit code. No
 * container is left, however this ends; where the engine does not remove it, a note names it.
 */
export async function runModule(container: Container, run: ModuleRun): Promise<ModuleRunEnd> {
  try {
    await container.create(run.plan);
    await container.copyIn(await workspaceTar(run), WORKSPACE);
    const facts = await container.run({ ...run, input: Buffer.from(run.secrets) });
    return { facts, ...(await takeResponse(container)) };
  } finally {
    // Also where create failed: the engine may have made it all the same.
    if (!(await container.remove())) {
      run.progress.note(
        `the container ${container.name} could not be removed: docker rm --volumes --force ${container.name}`,
      );
    }
  }
}

/** The response of a container that does not run any more. */
export async function takeResponse(container: Container): Promise<Pick<ModuleRunEnd, "response" | "fault">> {
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-response-"));
  try {
    const tar = path.join(folder, "response.tar");
    const places = [WORKSPACE, `${WORKSPACE}/${INJECTED}`];
    let found = false;
    for (const place of places) found ||= await container.copyOut(`${place}/output.json`, tar);
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
