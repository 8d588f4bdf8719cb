import path from "node:path";
import { isMap } from "./document.ts";
import { readJson, writeJson } from "./manifest.ts";

/** What earlier compilations took: the plan divides by it. */
export interface Timings {
  readonly version: 1;
  /** CPU seconds of compiling, by import path: what waiting for a busy machine does not change. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Wall seconds of linking, by the directory of the program. */
  readonly links?: Readonly<Record<string, number>>;
  /** Bytes of the compiled archive, by import path. */
  readonly bytes?: Readonly<Record<string, number>>;
}

/** Measurements of one run: any part of the timings. */
export type MeasuredTimings = Partial<Omit<Timings, "version">>;

/** Where a store keeps what its compilations took. */
export function timingsFile(store: string): string {
  return path.join(store, "timings.json");
}

/**
 * The CPU seconds of every package that a Go command really compiled, out of what it wrote for `-debug-actiongraph=FILE`
 * (cmd/go/internal/work/action.go): compile actions with a command, assembler included. What came from the cache has no
 * command, and what failed says nothing of the next time. Anything else than such a graph gives no seconds.
 */
export function parseActionGraph(json: unknown): { readonly seconds: Readonly<Record<string, number>> } {
  const seconds: Record<string, number> = {};
  for (const action of Array.isArray(json) ? (json as readonly unknown[]) : []) {
    if (!isMap(action) || action.Mode !== "build" || action.Failed === true) continue;
    if (typeof action.Package !== "string" || !Array.isArray(action.Cmd)) continue;
    // Package paths of a build with a profile end in " [main/path]".
    const name = action.Package.replace(/ \[.*\]$/, "");
    const used = (nanoseconds(action.CmdUser) + nanoseconds(action.CmdSys)) / 1e9;
    seconds[name] = round((seconds[name] ?? 0) + used);
  }
  return { seconds };
}

/** Newer measurements in place of older ones of the same thing, all others kept; keys in order. */
export function mergeTimings(older: MeasuredTimings | undefined, newer: MeasuredTimings): Timings {
  const united = (part: "seconds" | "links" | "bytes") => sorted({ ...older?.[part], ...newer[part] });
  return { version: 1, seconds: united("seconds"), links: united("links"), bytes: united("bytes") };
}

/** What a store's compilations took; undefined where none was noted, or the file is damaged: it only serves estimates. */
export async function readTimings(store: string): Promise<Timings | undefined> {
  return readTimingsFile(timingsFile(store)).catch(() => undefined);
}

/** Reads `--timings FILE`. Throws a usage error that says what is wrong with it. */
export function readTimingsFile(file: string): Promise<Timings> {
  return readJson<Timings>(
    file,
    "a timings file",
    'Write {"version": 1, "seconds": {"import/path": 1.5}}.',
    timingsFault,
  );
}

/** Adds measurements to a store's timings. The caller has the store to itself. */
export async function noteTimings(store: string, found: MeasuredTimings): Promise<void> {
  await writeJson(timingsFile(store), mergeTimings(await readTimings(store), found));
}

function timingsFault({ seconds, links, bytes }: Partial<Timings>): string | undefined {
  if (!isMap(seconds)) return "it has no seconds";
  for (const [part, values] of Object.entries({ seconds, links: links ?? {}, bytes: bytes ?? {} })) {
    if (!isMap(values)) return `its ${part} are none`;
    const wrong = Object.entries(values).find(([, value]) => !(Number.isFinite(value) && value >= 0));
    if (wrong !== undefined) return `the ${part} of "${wrong[0]}" are ${JSON.stringify(wrong[1])}`;
  }
  return undefined;
}

function nanoseconds(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/** To the millisecond: what is below it is noise. */
function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function sorted(values: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
