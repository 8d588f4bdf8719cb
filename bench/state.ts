import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";

/** What a step left in the state file. */
export interface StepRecord {
  /** Anything that is JSON. */
  readonly result: unknown;
  readonly seconds: number;
  /** A digest of what the result depends on besides the selection, such as kiln's own code. */
  readonly inputs: string;
}

/** The state file of a work folder: how far runs of the bench got. */
export interface BenchState {
  readonly version: 1;
  /** What is measured: two runs with another key have nothing to do with each other. */
  readonly key: string;
  readonly steps: Readonly<Record<string, StepRecord>>;
}

export const STATE_FILE = "state.json";

/** Reads how far runs in a work folder got; nothing where there is no state file, or an unreadable one. */
export async function readState(work: string): Promise<BenchState | undefined> {
  const text = await readFile(path.join(work, STATE_FILE), "utf8").catch(() => "");
  try {
    const state = JSON.parse(text) as Partial<BenchState>;
    if (state.version !== 1 || typeof state.key !== "string") return undefined;
    return { version: 1, key: state.key, steps: state.steps ?? {} };
  } catch {
    return undefined;
  }
}

/**
 * The state that a run starts from: an earlier one of the same key, or an empty one. Throws a usage error where the folder
 * holds another comparison, which would be lost.
 */
export function resumedState(earlier: BenchState | undefined, key: string, fresh: boolean): BenchState {
  if (fresh || earlier === undefined) return { version: 1, key, steps: {} };
  if (earlier.key === key) return earlier;
  throw new KilnError("usage", "the work folder holds a comparison of other programs, or with another Go", {
    mend: "Name another folder with --work, or start anew with --fresh.",
  });
}

/** A state with one more step. */
export function withStep(state: BenchState, id: string, record: StepRecord): BenchState {
  return { ...state, steps: { ...state.steps, [id]: record } };
}

/** The steps whose results still hold; `inputsOf` says what a step's result depends on now. */
export function soundSteps(state: BenchState, inputsOf: (id: string) => string): ReadonlySet<string> {
  return new Set(Object.entries(state.steps).flatMap(([id, { inputs }]) => (inputs === inputsOf(id) ? [id] : [])));
}

/** Writes the state file, whole or not at all. */
export async function writeState(work: string, state: BenchState): Promise<void> {
  await mkdir(work, { recursive: true });
  const file = path.join(work, STATE_FILE);
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 1)}\n`);
  await rename(`${file}.new`, file);
}
