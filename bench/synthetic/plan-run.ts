import { divideWeighed } from "../../cache/plan/division.ts";
import { predictRunners } from "../../cache/plan/prediction.ts";
import { weighGraph } from "../../cache/plan/weighed-graph.ts";
import { syntheticGraph } from "./graph.ts";
import { printMeasured } from "./measured.ts";

/** `node plan-run.ts PACKAGES PROGRAMS SHARDS`: plans a synthetic repository, and prints the seconds and the memory of it. */
const [packages = 1300, programs = 1000, shards = 8] = process.argv.slice(2).map(Number);
const repository = syntheticGraph({ packages, programs });
await printMeasured(() => {
  const weighed = weighGraph(repository.graph, repository.programs);
  divideWeighed(weighed, { count: shards }, { cores: 2 });
  predictRunners(weighed, { cores: 2 });
});
