import { describe, expect, it } from "vitest";
import type { Plan } from "../../../cache/plan.ts";
import { planText } from "../../../cli/cache/plan-text.ts";
import { CONTRACT } from "../cache/cache-directory.ts";

const PLAN: Plan = {
  ...{ version: 1, contract: CONTRACT, pattern: "", programs: [], skipped: [], goModules: {}, faults: {} },
  allowFailed: [],
  shards: [
    { id: "base", programs: [], packages: { fmt: 40 }, cost: 40, predicted: { wall: 25, cpu: 44, alone: 25 } },
    { id: "aws", programs: ["m/a"], packages: { "m/a": 3 }, cost: 3 },
  ],
  predicted: {
    cores: 2,
    measured: 0.458,
    runners: [
      ...[{ runners: 8, base: 25, shards: 45, alone: 66, least: { shards: 43, alone: 60 }, cpu: 593 }],
      ...[{ runners: 16, base: 0, shards: 61, alone: 61, least: { shards: 1, alone: 1 }, cpu: 60 }],
    ],
    memory: { bytes: 8e9, packages: { "cloudflare@v6": 12.5e9 } },
  },
};

describe("planText", () => {
  it("shows shards, what numbers of runners take, and what does not fit", () => {
    expect(planText(PLAN)).toBe(
      [
        "shard  programs  packages  CPU time  after the base  from nothing",
        "base   0         1         40s       25s             25s",
        "aws    1         1         3s",
        "",
        "Evenly divided, runners of 2 cores (compile times 45% measured, the rest estimated by source):",
        "runners  base  then shards  together  without base  CPU time",
        "8        25s   45s          1m 10s    1m 6s         9m 53s",
        "16       0s    1m 1s        1m 1s     1m 1s         1m 0s",
        "Need more than a runner's 8.0 GB of memory:",
        "  cloudflare@v6: about 13 GB",
      ].join("\n"),
    );
  });

  it("says only the shards of a plan without predictions", () => {
    const { predicted, ...bare } = PLAN;
    expect(predicted).toBeDefined();
    expect(planText(bare)).not.toContain("runners");
  });
});
