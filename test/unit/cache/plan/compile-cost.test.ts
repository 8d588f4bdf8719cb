import { describe, expect, it } from "vitest";
import { compileCost, compileMemory } from "../../../../cache/plan/compile-cost.ts";
import { packageOf } from "./repository.ts";

const PULUMI = "github.com/pulumi/pulumi/sdk/v3/go/pulumi";

describe("compileCost", () => {
  it("is what was measured, where it was", () => {
    const timings = { seconds: { lib: 0 }, bytes: { lib: 7 } };
    expect(compileCost(packageOf("lib", [], 1_000_000), timings)).toEqual({ seconds: 0, bytes: 7, measured: true });
    expect(compileCost(packageOf("lib", [], 1_000_000), { seconds: { other: 9 } })).toMatchObject({ measured: false });
  });

  // CPU seconds and bytes of the archive, as Go 1.26.8 had them on linux/amd64.
  it.each<[string, readonly string[], number, number, number]>([
    ["net/http", ["net"], 927_350, 2.07, 8_769_646],
    ["github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1", [`${PULUMI}@v3.1.0`], 4_802_126, 31.95, 226e6],
    ["github.com/pulumi/pulumi-auth0/sdk/v3/go/auth0", [`${PULUMI}@v3.1.0`], 3_394_055, 23.45, 165e6],
    ["github.com/pulumi/pulumi-aws/sdk/v7/go/aws/sqs", [PULUMI], 104_484, 3.64, 33.3e6],
    ["example.com/kiln/modules/aws/sqs-queue", [`${PULUMI}@v3.1.0`], 1_170, 0.3, 3.5e6],
  ])("estimates %s within a third of what it was", (name, imports, source, seconds, bytes) => {
    const cost = compileCost(packageOf(name, imports, source));
    expect(cost.seconds / seconds).toBeGreaterThan(2 / 3);
    expect(cost.seconds / seconds).toBeLessThan(4 / 3);
    expect(cost.bytes / bytes).toBeGreaterThan(2 / 3);
    expect(cost.bytes / bytes).toBeLessThan(4 / 3);
  });

  it("grows with the source", () => {
    for (const imports of [[], [PULUMI]]) {
      const [small, large] = [100_000, 200_000].map((bytes) => compileCost(packageOf("lib", imports, bytes)));
      expect(large?.seconds).toBeGreaterThan(small?.seconds ?? Infinity);
      expect(large?.bytes).toBeGreaterThan(small?.bytes ?? Infinity);
    }
  });
});

describe("compileMemory", () => {
  it("is what giants were seen to take", () => {
    expect(compileMemory(262e6) / 3.1e9).toBeCloseTo(1, 1);
    expect(compileMemory(1.04e9)).toBeGreaterThan(11e9);
    expect(compileMemory(1.04e9)).toBeLessThan(13e9);
  });
});
