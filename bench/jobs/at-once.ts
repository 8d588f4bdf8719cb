// What the job runner costs beside plain `docker run`: `node bench/jobs/at-once.ts [JOBS] [ROUNDS]`. It starts so many jobs at
// once, and the same command in so many plain containers, in turns, so that a busy minute is everybody's, and prints JSON.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { jobEngine, jobImage } from "../../test/support/job-runs.ts";
import { quantile } from "../modules/quantile.ts";
import { readyJobWays } from "./ways.ts";

/** What a job may take at most, in times of a plain container. */
const LIMIT = 1.2;

const [jobs, rounds] = [process.argv[2] ?? "50", process.argv[3] ?? "4"].map(Number);
if (jobs === undefined || rounds === undefined || !(jobs >= 1) || !(rounds >= 1))
  throw new Error("JOBS and ROUNDS are numbers");
const engine = await jobEngine();
const scratch = await mkdtemp(path.join(tmpdir(), "kiln-jobs-bench-"));
try {
  const ways = await readyJobWays({ engine, image: await jobImage(engine), scratch });
  const seconds = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const p95 = new Map<string, number>();
    // Who comes second finds a warmer, or a more tired, engine.
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      // One start for all: a clock of its own would begin after Node has started the clients of those before it, and a server
      // that calls `docker run` fifty times waits for that too.
      const from = performance.now();
      const took = await Promise.all(
        Array.from({ length: jobs }, async (_, number) => {
          await way.perform(`${round}-${number}`);
          return (performance.now() - from) / 1000;
        }),
      );
      seconds.get(way.name)?.push(...took);
      p95.set(way.name, quantile(took, 0.95));
    }
    ratios.push((p95.get("job") ?? 0) / (p95.get("docker run") ?? 1));
  }
  const figures = ways.map(({ name, what }) => {
    const all = seconds.get(name) ?? [];
    const rounded = (share: number) => Number(quantile(all, share).toFixed(3));
    return { name, what, median: rounded(0.5), p95: rounded(0.95), most: rounded(1) };
  });
  const p95 = (name: string) => quantile(seconds.get(name) ?? [], 0.95);
  const ratio = Number((p95("job") / p95("docker run")).toFixed(3));
  const byRound = ratios.map((one) => Number(one.toFixed(3)));
  const verdict = { "p95 ratio": ratio, "by round": byRound, limit: LIMIT, holds: ratio <= LIMIT };
  process.stdout.write(`${JSON.stringify({ jobs, rounds, figures, ...verdict }, null, 2)}\n`);
  process.exitCode = verdict.holds ? 0 : 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}
