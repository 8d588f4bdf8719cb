import { describe, expect, it } from "vitest";
import { FIGURE_KEYS, figuresFor } from "../../../../bench/figures.ts";
import { agedOf } from "../../../../bench/figures/aged.ts";
import { binaryStartOf } from "../../../../bench/figures/binary-start.ts";
import { sum } from "../../../../bench/figures/builds.ts";
import { cacheBytesOf } from "../../../../bench/figures/cache-bytes.ts";
import { determinismOf } from "../../../../bench/figures/determinism.ts";
import { criticalPath, makespanOf } from "../../../../bench/figures/makespan.ts";
import { rebakeOf } from "../../../../bench/figures/rebake.ts";
import { shipOf } from "../../../../bench/figures/ship.ts";
import { publishedSeconds, warmSeconds, warmWallOf } from "../../../../bench/figures/warm-wall.ts";
import { planSteps } from "../../../../bench/step-plan.ts";

const seconds = { plan: 5, "warm all": 50, layers: 10, push: 3, compose: 1, verify: 20, "base image": 30 };

describe("figures", () => {
  it("have a key each, with the bounds of the issue", () => {
    expect(FIGURE_KEYS).toEqual([
      ...["warm_wall", "makespan_8", "cache_bytes_disk", "cache_bytes_compressed", "ship", "first_build"],
      ...["edited_build", "aged", "binary_start", "rebake_one_module", "determinism", "upgrades"],
      ...["planning", "merging"],
    ]);
    expect(new Set(FIGURE_KEYS).size).toBe(FIGURE_KEYS.length);
  });

  it("need steps whose ids are unique, and each step of a method is there", () => {
    const steps = figuresFor(["aws", "gcp"]).flatMap(({ needs }) => needs);
    const plan = planSteps(steps, { done: new Set(), standing: new Set() });
    expect(new Set(plan.map(({ id }) => id)).size).toBe(plan.length);
    const ids = plan.map(({ id }) => id);
    for (const id of ["published/job aws", "corrected/job gcp", "corrected/merge", "kiln/bake", "kiln/shard-8"]) {
      expect(ids).toContain(id);
    }
  });
});

describe("warm_wall", () => {
  it("counts a bake from its plan to its layers, and all of the published method's jobs and merge", () => {
    expect(warmSeconds({ seconds })).toBe(65);
    const job = { build: 80, upload: 5, bytes: 1, failed: [] };
    const jobs = [
      { ...job, provider: "aws" },
      { ...job, provider: "gcp" },
    ];
    expect(publishedSeconds(jobs, { download: 10, merge: 20 })).toBe(200);
    expect(warmWallOf(200, { seconds, wall: 119 }).values[""]).toBeCloseTo(0.325);
  });
});

describe("cache_bytes", () => {
  const whole = { cacheBytes: 1000, cacheDiskBytes: 1200, compressedBytes: 200 };
  const layers = [
    { name: "common", digest: "sha256:1", size: 90 },
    { name: "aws", digest: "sha256:2", size: 40 },
  ];
  const baked = { cacheBytes: 130, cacheDiskBytes: 140, layers, programBytes: 30 };

  it("compares caches and sources, with finished programs beside", () => {
    expect(cacheBytesOf("cache_bytes_disk", whole, undefined, baked)).toMatchObject({
      values: { "": 0.1 },
      figures: { cache_bytes_disk_published_bytes: 1000, cache_bytes_disk_kiln_bytes: 100, programs_bytes: 30 },
    });
    expect(cacheBytesOf("cache_bytes_compressed", whole, whole, baked)).toMatchObject({
      values: { "": 0.5 },
      figures: { cache_bytes_compressed_corrected_bytes: 200 },
    });
  });
});

describe("ship", () => {
  it("is writing, pushing and composing of what changed against COPY and push of everything", () => {
    const { values } = shipOf({ build: 100, push: 40, pushedBytes: 1000 }, { seconds, pushedBytes: 50 });
    expect(values).toEqual({ wall: 0.1, bytes: 0.05 });
  });
});

describe("first_build and edited_build", () => {
  it("add up the programs of the sample", () => {
    const programs = [1, 2].map((first) => ({ directory: `p${first}`, first, edited: 10 * first, compiled: 0 }));
    expect([sum(programs, "first"), sum(programs, "edited")]).toEqual([3, 30]);
  });
});

describe("aged", () => {
  const pair = (compiled: readonly number[], errors: readonly string[] = []) => ({ compiled, seconds: [1, 1], errors });
  const image = (compiled: readonly number[], errors?: readonly string[]) => ({
    days: 400,
    readOnly: pair(compiled, errors),
    writable: pair(compiled),
  });

  it("counts what both modules compiled, and shows the other methods' beside", () => {
    const found = agedOf({ published: image([144, 300]), corrected: image([0, 380]), kiln: image([0, 0]) });
    expect(found.values).toEqual({ read_only: 0, writable: 0 });
    expect(found.figures.aged_corrected_writable_compile_actions).toEqual([0, 380]);
    expect(agedOf({ published: image([]), corrected: image([]), kiln: image([1, 2]) }).values.read_only).toBe(3);
  });

  it("shows builds of other methods that failed, and has no value where kiln's did", () => {
    const failed = image([0, 0], ["permission denied"]);
    const found = agedOf({ published: failed, corrected: image([0, 0]), kiln: image([0, 0]) });
    expect(found.figures.aged_published_read_only_errors).toEqual(["permission denied"]);
    expect(() => agedOf({ published: image([]), corrected: image([]), kiln: failed })).toThrow(/permission denied/);
  });
});

describe("rebake_one_module", () => {
  it("compares whole bakes, without the base image that only the first one builds", () => {
    const { values } = rebakeOf(
      { wall: 130, seconds },
      { wall: 8, seconds: { verify: 4 } },
      { wall: 20, seconds: { "base image": 5 } },
    );
    expect(values).toEqual({ store: 0.08, registry: 0.15 });
  });
});

describe("determinism", () => {
  const layer = (name: string, digest: string) => ({ name, digest, size: 1 });

  it("counts layers that differ, and those that only one of the bakes has", () => {
    const first = { layers: [layer("common", "a"), layer("aws", "b")] };
    expect(determinismOf(first, first).values[""]).toBe(0);
    const second = { layers: [layer("common", "a"), layer("aws", "c"), layer("gcp", "d")] };
    expect(determinismOf(first, second)).toMatchObject({
      values: { "": 2 },
      figures: { determinism_differing_layers: ["aws", "gcp"] },
    });
    expect(() => determinismOf({ layers: [] }, { layers: [] })).toThrow(/no layers/);
  });
});

describe("makespan_8", () => {
  const shards = Array.from({ length: 8 }, (_, index) => ({ id: `shard-${index + 1}`, predicted: 20, cpu: 40 }));
  const plan = { shards, least: 20, cores: 2, hasBase: true, base: 60 };

  it("is the longest shard of an equal share, where no chain is longer", () => {
    const found = makespanOf(plan, 60, [20, 20, 20, 20, 20, 20, 20, 22]);
    expect(criticalPath(plan)).toBe(0);
    expect(found.values.ideal).toBeCloseTo(22 / (162 / 8));
    expect(found.values.predicted).toBeCloseTo(1.1);
    expect(found.figures.makespan_8_with_base_first_seconds).toBe(82);
  });

  it("is the longest shard of the critical path where that is longer", () => {
    const chained = { ...plan, least: 30 };
    expect(criticalPath(chained)).toBe(30);
    expect(makespanOf(chained, 60, [33, 10, 10, 10, 10, 10, 10, 10]).values.ideal).toBeCloseTo(1.1);
  });
});

describe("binary_start", () => {
  it("is the slowest start", () => {
    const compared = { provider: "aws", programs: 4, multiCall: 70, multiCallGzip: 20, separate: 160 };
    const found = binaryStartOf({
      starts: { "aws/bucket": 0.02, "gcp/topic": 0.06 },
      files: { aws: 70 },
      compared: { ...compared, separateGzip: 50, separateLinkSeconds: 9 },
    });
    expect(found.values[""]).toBe(0.06);
    expect(found.figures).toMatchObject({ binary_multi_call_bytes: 70, binary_separate_bytes: 160 });
  });
});
