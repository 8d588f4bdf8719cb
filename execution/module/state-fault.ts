import { KilnError, messageOf } from "../../errors.ts";
import type { ErrorCode } from "./response.ts";
import { StateRefusal } from "./state-store.ts";

/** Why a state was not saved. */
export interface StateFault {
  readonly code: ErrorCode;
  /** What is wrong and what to do. */
  readonly message: string;
  /** Whether it may not be saved at all: the next run could not either. */
  readonly refused: boolean;
}

const REASONS: Readonly<Record<string, readonly [what: string, mend: (folder: string) => string]>> = {
  ENOSPC: ["the disk is full", (folder) => `Make room on the disk of ${folder}.`],
  EDQUOT: ["this user's quota is used up", (folder) => `Make room, or raise the quota, for ${folder}.`],
  EACCES: ["this user may not write there", (folder) => `Let this user write to ${folder}.`],
  EPERM: ["this user may not write there", (folder) => `Let this user write to ${folder}.`],
  EROFS: ["the file system is read-only", (folder) => `Mount the file system of ${folder} for writing.`],
};

/** What kept a state from being saved in a folder: a refusal says so itself, an error of the system by its code. */
export function stateFault(error: unknown, folder: string): StateFault {
  if (error instanceof StateRefusal) {
    return { code: "state_mismatch", message: sentences(error.message, error.mend), refused: true };
  }
  const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ""];
  const what = reason === undefined ? messageOf(error) : `${reason[0]} (${messageOf(error)})`;
  const mend = error instanceof KilnError ? error.mend : reason?.[1](folder);
  return {
    code: "internal",
    message: sentences(`the new state could not be saved in ${folder}: ${what}`, mend),
    refused: false,
  };
}

/** Of a state that came back in the clear: its entrypoint would not understand the sealed one that the next run sends. */
export const UNSEALED: StateFault = {
  code: "state_mismatch",
  message:
    "the state came back unsealed: the entrypoint of the image is not kiln's, and cannot go on from a state that is kept here. What it gave is sealed in the run's response, below runs/. Build the image with kiln module build",
  refused: true,
};

/** Of a run that went well and brought no state back: nothing that it made is recorded. */
export function noState(action: string): StateFault {
  return {
    code: "internal",
    message: `${action} brought no state back: what it did is recorded nowhere here. Where the module has a backend of its own, say so in the request (state_mode "remote"); else build its image again`,
    refused: true,
  };
}

function sentences(what: string, mend: string | undefined): string {
  return mend === undefined ? what : `${what}. ${mend}`;
}
