import { describe, expect, it, vi } from "vitest";
import type { CacheManifest } from "../../../cache/manifest.ts";
import { mergeCaches } from "../../../cache/merge.ts";
import type { Plan } from "../../../cache/plan.ts";
import { compileInStore, warmPortion, warmShard } from "../../../cache/warm.ts";
import { warmAll, warmPlan } from "../../../cache/warm-plan.ts";
import { KilnError } from "../../../errors.ts";
import { silent } from "../../../progress.ts";
import { CONTRACT, EMPTY_MANIFEST } from "./cache-directory.ts";

vi.mock(import("../../../cache/warm.ts"), () => ({
  ...{ compileInStore: vi.fn(), warmShard: vi.fn(), warmPortion: vi.fn() },
}));
vi.mock(import("../../../cache/merge.ts"), () => ({ mergeCaches: vi.fn() }));

function manifestOf(modules: readonly string[], bytes: number): CacheManifest {
  return { ...EMPTY_MANIFEST, modules, counts: { goBuildEntries: 1, goModules: 1, bytes } };
}

function planOf(
  ids: readonly string[],
  faults: Readonly<Record<string, string>> = {},
  allowFailed: readonly string[] = [],
): Plan {
  const shards = ids.map((id) => ({ id, programs: [], packages: {}, cost: 1 }));
  return {
    ...{ version: 1, contract: CONTRACT, pattern: "{provider}/{module}", programs: [], skipped: [], goModules: {} },
    ...{ faults, allowFailed, shards },
  };
}

const places = { source: "/source", goRoot: "/go", store: "/store", gocache: "/gocache" };
const warming = (plan: Plan) => warmPlan({ ...places, plan, shards: "/shards", out: "/out", progress: silent });

describe("warmPlan", () => {
  it("compiles the base into the store, warms each other shard to a directory of its own, and merges those", async () => {
    const order: string[] = [];
    vi.mocked(compileInStore).mockImplementation(({ shard }) => Promise.resolve(void order.push(shard)));
    vi.mocked(warmShard).mockImplementation(({ shard, out }) => {
      order.push(`${shard} to ${out}`);
      return Promise.resolve(manifestOf([`${shard}/a`, `${shard}/b`], shard === "aws" ? 10 : 20));
    });
    const whole = manifestOf(["aws/a", "gcp/b"], 25);
    vi.mocked(mergeCaches).mockResolvedValue(whole);
    const plan = planOf(["base", "aws", "gcp"]);
    const { manifest, shards, mergeSeconds } = await warming(plan);
    expect(order).toEqual(["base", "aws to /shards/aws", "gcp to /shards/gcp"]);
    expect(vi.mocked(warmShard).mock.calls[0]?.[0]).toEqual({
      ...{ ...places, plan, shard: "aws", out: "/shards/aws", progress: silent },
    });
    expect(mergeCaches).toHaveBeenCalledExactlyOnceWith("/out", ["/shards/aws", "/shards/gcp"]);
    expect(manifest).toBe(whole);
    expect(shards.map(({ id, programs, counts }) => [id, programs, counts?.bytes])).toEqual([
      ["base", 0, undefined],
      ["aws", 2, 10],
      ["gcp", 2, 20],
    ]);
    expect(Math.max(mergeSeconds, ...shards.map(({ seconds }) => seconds))).toBeLessThan(5);
  });

  it("merges nothing where a shard could not be warmed", async () => {
    vi.mocked(mergeCaches).mockClear();
    vi.mocked(warmShard).mockRejectedValueOnce(new KilnError("unreachable", "no disk"));
    await expect(warming(planOf(["aws", "gcp"]))).rejects.toThrow("no disk");
    expect(mergeCaches).not.toHaveBeenCalled();
  });

  it.each<[string, Plan, string]>([
    ["no program loads, and names each", planOf([], { "m/a": "broken" }), "1 program does not compile:\n  m/a: broken"],
    [
      "no program loads, though that was allowed for",
      planOf([], { "m/a": "broken" }, ["**"]),
      "1 program does not compile",
    ],
    ["there is nothing at all", planOf([]), "the plan has no shard to warm"],
    ["there is a base alone", planOf(["base"]), "the plan has no shard to warm"],
  ])("throws where %s", async (_, plan, message) => {
    vi.mocked(mergeCaches).mockClear();
    await expect(warming(plan)).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining(message) as string,
    });
    expect(mergeCaches).not.toHaveBeenCalled();
  });
});

describe("warmAll", () => {
  const program = (provider: string, goModule: string) => ({
    ...{ provider, module: "x", directory: `${goModule}/${provider}/x`, goModule },
  });
  const programs = [program("aws", "one"), program("gcp", "one"), program("aws", "two"), program("faulty", "one")];
  const shards = [
    { id: "base", programs: [], packages: { fmt: 1 }, cost: 1 },
    { id: "aws", programs: ["one/aws/x", "two/aws/x"], packages: { "sdk/aws": 2 }, cost: 2 },
    { id: "gcp", programs: ["one/gcp/x"], packages: { "sdk/gcp": 3 }, cost: 3 },
  ];

  it("makes one graph for each go.mod of all programs that load, whatever the shards", async () => {
    const note = vi.fn();
    const warmed = {
      manifest: { ...manifestOf(["one/aws/x"], 1), failed: { "one/gcp/x": "bad", "two/aws/x": "known" } },
      seconds: { compile: 1, link: 2, write: 3 },
    };
    vi.mocked(warmPortion).mockResolvedValue(warmed);
    const plan = { ...planOf([], {}, ["two/**"]), programs, shards };
    const options = { ...places, plan, out: "/out", progress: { ...silent, note } };
    expect(await warmAll(options)).toBe(warmed);
    expect(vi.mocked(warmPortion).mock.calls).toEqual([
      [
        options,
        {
          id: "all",
          programs: programs.slice(0, 3),
          targets: [
            { goModule: "one", names: ["./aws/x", "./gcp/x"] },
            { goModule: "two", names: ["./aws/x"] },
          ],
          costs: { fmt: 1, "sdk/aws": 2, "sdk/gcp": 3 },
        },
        "/out",
      ],
    ]);
    expect(note.mock.calls).toEqual([["one/gcp/x: bad"]]);
  });

  it("throws where no program loads, and names each", async () => {
    const plan = planOf([], { "m/a": "broken" });
    await expect(warmAll({ ...places, plan, out: "/out", progress: silent })).rejects.toThrow("m/a: broken");
  });
});
