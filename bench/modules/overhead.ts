// What a module's container and its entrypoint cost beside the tool: `node bench/modules/overhead.ts [ROUNDS]`. It builds the
// example for OpenTofu with loopback hosts, measures in rounds, so that a busy minute is everybody's, and prints JSON.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Builder } from "../../execution/module/builder.ts";
import { readyEntrypoint } from "../../execution/module/entrypoint-program.ts";
import { silent } from "../../progress.ts";
import { engineEnvironment, readyEngine } from "../../toolchain/docker-engine.ts";
import { places as ownPlaces } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { quantile } from "./quantile.ts";
import { LIMITS, rounded, verdict } from "./verdict.ts";
import { readyWays } from "./ways.ts";

const TAG = "kiln-bench-module:overhead";

const rounds = Number(process.argv[2] ?? 20);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`${process.argv[2] ?? ""} is no number of rounds`);
const places = ownPlaces();
const at = { places, progress: silent };
const engine = await readyEngine(at);
const module = path.join(places.project, "examples/iac/opentofu");
await new Builder().build({ engine, directory: module, tag: TAG, loopbackHosts: true });
const entrypoint = await readyEntrypoint(ownPlatform(), at);
const { path: tofu } = await resolveTool("opentofu", at);
const scratch = await mkdtemp(path.join(tmpdir(), "kiln-overhead-"));
try {
  const ways = await readyWays({ engine, image: TAG, module, entrypoint, tofu, scratch });
  const seconds = new Map(ways.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) {
      const from = performance.now();
      await way.perform();
      // The first round fills caches.
      if (round > 0) seconds.get(way.name)?.push((performance.now() - from) / 1000);
    }
  }
  const p95 = (name: string) => quantile(seconds.get(name) ?? [], 0.95);
  const figures = ways.map(({ name, what }) => {
    const all = seconds.get(name) ?? [];
    return {
      name,
      what,
      median: rounded(quantile(all, 0.5)),
      p95: rounded(p95(name)),
      least: rounded(Math.min(...all)),
    };
  });
  const { above, holds } = verdict(p95);
  process.stdout.write(`${JSON.stringify({ rounds, figures, "p95 above": above, limits: LIMITS, holds }, null, 2)}\n`);
  process.exitCode = holds ? 0 : 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
  await run(engine.docker, ["image", "rm", TAG], { env: engineEnvironment(engine), allowFailure: true });
}
