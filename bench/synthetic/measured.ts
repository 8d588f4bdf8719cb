/** What a piece of kiln's own work took, in a process of its own. */
export interface MeasuredWork {
  readonly seconds: number;
  /** The most memory that the process ever had (its resident set), Node itself included. */
  readonly peakBytes: number;
}

/** Runs work and prints what it took, as JSON: the last thing that a process does. */
export async function printMeasured(work: () => unknown): Promise<void> {
  const start = performance.now();
  await work();
  const measured: MeasuredWork = {
    seconds: Math.round(performance.now() - start) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}
