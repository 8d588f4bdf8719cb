import { tmpdir } from "node:os";
import path from "node:path";
import { messageOf } from "../../errors.ts";
import { writeWhole } from "../whole-file.ts";
import { reportsOnly } from "./request-rules.ts";
import type { ModuleRequest } from "./request.ts";
import type { ModuleResponse } from "./response.ts";
import type { RunKey } from "./run-key.ts";
import { stackFolder } from "./stack-name.ts";
import { isEnvelope, type StateEnvelope } from "./state-envelope.ts";
import { noState, type StateFault } from "./state-fault.ts";
import { passphraseSalt } from "./state-key.ts";
import { successorFault } from "./state-store.ts";

/** A run without state directory, as far as its state goes. */
export interface DirectorylessRun {
  readonly request: ModuleRequest;
  readonly key: RunKey;
  /** Whether the caller keeps the state that comes back, and whether a success must bring one. */
  readonly carries: boolean;
  readonly brings: boolean;
  /** Of the run alone. */
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * What is wrong with the state that a run without state directory brought back; undefined where nothing is. One that nobody
 * would keep, because it was taken for remote, is put into a state directory of its own, with what opens it.
 */
export async function callerStateFault(
  response: ModuleResponse,
  run: DirectorylessRun,
): Promise<StateFault | undefined> {
  const { request, carries, brings } = run;
  const { state, success, action } = response;
  if (reportsOnly(request) || request.state_mode === "ephemeral") return undefined;
  if (!isEnvelope(state)) {
    const isThere = typeof state === "object" && state !== null && Object.keys(state).length > 0;
    return brings && success && !isThere ? noState(action) : undefined;
  }
  return carries ? moved(state, request) : homeless(action, state, run);
}

/** The state stays in the response: the caller has the one before it, and decides. */
function moved(state: StateEnvelope, { state: sent, stack_name: stack }: ModuleRequest): StateFault | undefined {
  const before = isEnvelope(sent) ? sent : undefined;
  const fault = successorFault(state, { kept: before, sent: before, stack: stack ?? before?.stack ?? "default" });
  if (fault === undefined) return undefined;
  return { code: "state_mismatch", message: `the state in the response does not follow: ${fault}`, refused: true };
}

async function homeless(action: string, state: StateEnvelope, run: DirectorylessRun): Promise<StateFault> {
  const what = `the state of ${action} was taken for remote, but came back with the response, and no state directory was given for it`;
  const failed: string[] = [];
  for (const home of homes(run.env)) {
    const directory = path.join(home, "kiln/rescued", run.name);
    try {
      await rescue(directory, state, run.key);
      const mend = `It is kept, sealed, in ${directory}, with what opens it: go on with --state ${directory} --stack-name ${state.stack}`;
      return { code: "state_mismatch", message: `${what}. ${mend}`, refused: true };
    } catch (error) {
      failed.push(`${directory} (${messageOf(error)})`);
    }
  }
  const message = `${what}. It could not be kept in ${failed.join(" or ")}, and stands in the response alone`;
  return { code: "state_mismatch", message, refused: true };
}

/** Folders that outlive a run, the one that outlives the machine's next start first. */
function homes({ XDG_STATE_HOME: state = "", HOME: home = "" }: NodeJS.ProcessEnv): readonly string[] {
  const lasting = state !== "" ? [state] : home !== "" ? [path.join(home, ".local/state")] : [];
  return [...lasting, tmpdir()];
}

/** A state directory with one stack: the next run goes on there. Of a key by passphrase the salt is kept, not the key. */
async function rescue(directory: string, state: StateEnvelope, key: RunKey): Promise<void> {
  const folder = path.join(directory, stackFolder(state.stack));
  await writeWhole(path.join(folder, "state.json"), `${JSON.stringify(state, null, 2)}\n`);
  if (key.lasts) await writeWhole(path.join(folder, "salt"), passphraseSalt(state.stack));
  else await writeWhole(path.join(directory, "key"), `${key.bytes.toString("base64")}\n`);
}
