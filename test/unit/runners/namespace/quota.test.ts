import { describe, expect, it } from "vitest";
import { amountOf, limitRangeSpec, quotaSpec } from "../../../../runners/namespace/quota.ts";

describe("amountOf", () => {
  it.each([
    ["4", 4],
    ["500m", 0.5],
    [".5", 0.5],
    ["16Gi", 16 * 2 ** 30],
    ["1.5G", 1.5e9],
    ["1e3", 1000],
    ["2E", 2e18],
    ["0", 0],
  ])("reads %s", (quantity, amount) => {
    expect(amountOf(quantity)).toBe(amount);
  });

  it.each(["", "4 ", "4GB", "Gi", "-1", "1.2.3", "four", "1K"])("refuses %j", (quantity) => {
    expect(amountOf(quantity)).toBeUndefined();
  });
});

describe("quotaSpec", () => {
  const hard = {
    "requests.cpu": "40",
    "limits.memory": "160Gi",
    pods: "60",
    "requests.storage": "2Ti",
    "count/ephemeralrunners.actions.github.com": "50",
    "requests.nvidia.com/gpu": "2",
    "fast.storageclass.storage.k8s.io/requests.storage": "1Ti",
  };

  it("takes what a quota can count", () => {
    expect(quotaSpec(hard, "quota")).toEqual({ hard });
  });

  it.each([
    [{ "limit.cpu": "4" }, "zone.quota.limit.cpu is nothing that a quota counts"],
    [{ runners: "4" }, "zone.quota.runners is nothing that a quota counts"],
    [{ pods: "many" }, 'zone.quota.pods is "many", which is no amount'],
  ])("refuses %j", (wrong: Record<string, string>, message) => {
    expect(() => quotaSpec(wrong, "zone.quota")).toThrow(message);
  });
});

describe("limitRangeSpec", () => {
  it("gives containers that say nothing a little", () => {
    expect(limitRangeSpec({}, {}, "limits")).toEqual({
      limits: [{ type: "Container", defaultRequest: { cpu: "100m", memory: "128Mi" }, default: { memory: "2Gi" } }],
    });
  });

  it("states the most that a container may have", () => {
    const max = { memory: "64Gi" };
    expect(limitRangeSpec({ max }, {}, "limits").limits[0]).toMatchObject({ max });
  });

  it.each([
    [{ defaultRequests: { memory: "4Gi" } }, {}, "limits.defaultRequests.memory is 4Gi, more than the default limit"],
    [
      { max: { memory: "1Gi" } },
      {},
      "limits.defaultLimits.memory is 2Gi, more than the most that a container may have",
    ],
    [{ defaultLimits: { cpu: "x" } }, {}, 'limits.defaultLimits.cpu is "x", which is no amount'],
    [{}, { "limits.cpu": "40" }, "limits.defaultLimits.cpu is not set, but the quota counts limits.cpu"],
    [{ defaultRequests: {} }, { cpu: "40" }, "limits.defaultRequests.cpu is not set, but the quota counts cpu"],
    [{}, { "limits.ephemeral-storage": "1Ti" }, "limits.defaultLimits.ephemeral-storage is not set"],
  ])("refuses %j with the quota %j", (limits, hard: Record<string, string>, message) => {
    expect(() => limitRangeSpec(limits, hard, "limits")).toThrow(message);
  });

  it.each([
    [{ defaultLimits: { cpu: "2" } }, { "limits.cpu": "40", "requests.cpu": "20" }],
    [{ max: { cpu: "8" } }, { "limits.cpu": "40" }],
    [{}, { "requests.memory": "40Gi", "limits.memory": "80Gi", pods: "10" }],
  ])("takes %j with the quota %j", (limits, hard: Record<string, string>) => {
    expect(() => limitRangeSpec(limits, hard, "limits")).not.toThrow();
  });
});
