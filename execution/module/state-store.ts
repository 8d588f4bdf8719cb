import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { writeWhole } from "../whole-file.ts";
import { parseDocument } from "./document.ts";
import { readEnvelope, type StateEnvelope } from "./state-envelope.ts";

/** A state that may not follow the one that is kept. Nothing was written, and trying again changes nothing. */
export class StateRefusal extends KilnError {}

/** The carried state of one stack, `state.json` in its folder. */
export class StateStore {
  readonly file: string;

  constructor(folder: string) {
    this.file = path.join(folder, "state.json");
  }

  /** The state, or undefined where the stack has none yet. A damaged file is an error: it is not "no state". */
  async read(): Promise<StateEnvelope | undefined> {
    let text: string;
    try {
      text = await readFile(this.file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    return readEnvelope(parseDocument(text, this.file, "failed"));
  }

  /**
   * Keeps what a run made of `sent`, the state that it was given. Returns whether it is newer. State of another stack or
   * lineage, an older one, or one beside a state that moved meanwhile is refused, and what is kept stays.
   */
  async keep(next: StateEnvelope, sent: StateEnvelope | undefined, stack: string): Promise<boolean> {
    const kept = await this.read();
    const fault = successorFault(next, { kept, sent, stack });
    if (fault !== undefined) {
      throw new StateRefusal("failed", `the state of ${stack} is not replaced: ${fault}`, {
        mend: `${this.file} is as it was; the run's own state is in its response, below runs/.`,
      });
    }
    if (next.serial === kept?.serial) return false;
    await writeWhole(this.file, `${JSON.stringify(next, null, 2)}\n`);
    return true;
  }
}

interface Before {
  readonly kept: StateEnvelope | undefined;
  readonly sent: StateEnvelope | undefined;
  readonly stack: string;
}

/** Why a state cannot follow the one that is kept; undefined where it can. */
export function successorFault(next: StateEnvelope, { kept, sent, stack }: Before): string | undefined {
  if (next.stack !== stack) return `it is of the stack ${next.stack}`;
  if (kept === undefined) return sent === undefined ? undefined : "the state that the run began with is gone";
  if (next.tool !== kept.tool) return `it is ${next.tool}'s, not ${kept.tool}'s`;
  if (next.lineage !== kept.lineage) return `its lineage is ${next.lineage}, not ${kept.lineage}`;
  if (kept.serial !== sent?.serial) return `serial ${kept.serial} was written while the run was at it`;
  if (next.serial < kept.serial) return `its serial ${next.serial} is behind ${kept.serial}`;
  return undefined;
}
