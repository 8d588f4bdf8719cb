import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { StepContext } from "../step.ts";
import { kiln } from "./kiln-command.ts";

/** A command of kiln's: its wall time, and the most memory that kiln itself had, without the Go commands that it ran. */
export interface MeasuredCommand {
  readonly seconds: number;
  readonly peakBytes: number;
}

const PRELOAD = pathToFileURL(path.join(import.meta.dirname, "../peak-memory.mjs")).href;

/** Runs a command of kiln's and measures it. `read` takes what it printed as JSON. */
export async function measuredKiln(
  context: StepContext,
  args: readonly string[],
  read: (document: unknown) => void = () => undefined,
): Promise<MeasuredCommand> {
  const peaks = await mkdtemp(path.join(tmpdir(), "kiln-bench-peak-"));
  try {
    const start = performance.now();
    read(await kiln<unknown>(context, args, { KILN_BENCH_PEAK: peaks, NODE_OPTIONS: `--import=${PRELOAD}` }));
    const seconds = (performance.now() - start) / 1000;
    const found = await Promise.all((await readdir(peaks)).map((name) => readFile(path.join(peaks, name), "utf8")));
    return { seconds, peakBytes: Math.max(0, ...found.map(Number)) };
  } finally {
    await rm(peaks, { recursive: true, force: true });
  }
}
