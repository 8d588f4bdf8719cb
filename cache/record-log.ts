import { KilnError } from "../errors.ts";

/** What a Go command asked its build cache for, as `gocache record` notes it. */
export interface RecordLog {
  /** What it found or put there, by action. */
  readonly entries: ReadonlyMap<string, RecordedEntry>;
  /** Actions that were not there and that it did not put there either. */
  readonly missed: ReadonlySet<string>;
}

export interface RecordedEntry {
  /** 64 hexadecimal digits, as the action. */
  readonly output: string;
  readonly size: number;
}

const LINE = /^(?:(hit|put) ([0-9a-f]{64}) ([0-9a-f]{64}) (\d+)|miss ([0-9a-f]{64}))$/;

/** Parses such a log. Throws where a line is none: a closure with a hole is worse than none. */
export function parseRecordLog(text: string): RecordLog {
  const entries = new Map<string, RecordedEntry>();
  const missed = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [match, , action = "", output = "", size = "", miss] = LINE.exec(line) ?? [];
    if (match === undefined)
      throw new KilnError("failed", `not a line of gocache's log: ${JSON.stringify(line.slice(0, 200))}`);
    if (miss !== undefined) missed.add(miss);
    else entries.set(action, { output, size: Number(size) });
  }
  for (const action of entries.keys()) missed.delete(action);
  return { entries, missed };
}

/** The name below go-build/ of an action's entry. */
export function actionName(action: string): string {
  return `${action.slice(0, 2)}/${action}-a`;
}

/** The name below go-build/ of an output's entry. */
export function outputName(output: string): string {
  return `${output.slice(0, 2)}/${output}-d`;
}

/** The names below go-build/ of all that a Go command found or put there. */
export function entryNames({ entries }: RecordLog): readonly string[] {
  return [...entries].flatMap(([action, { output }]) => [actionName(action), outputName(output)]);
}
