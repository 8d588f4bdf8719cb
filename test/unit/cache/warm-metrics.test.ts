import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exposition, groupPath, metricsTarget } from "../../../cache/warm-metrics.ts";

describe("metricsTarget", () => {
  it("is nothing where the environment names no gateway", () => {
    expect(metricsTarget({})).toBeUndefined();
    expect(metricsTarget({ KILN_PUSHGATEWAY_URL: "", KILN_SCALE_SET: "bake" })).toBeUndefined();
  });

  it.each([
    ["http://gateway.monitoring.svc:9091", "http://gateway.monitoring.svc:9091"],
    ["https://gateway.example/prefix//", "https://gateway.example/prefix"],
  ])("of %s is %s", (address, gateway) => {
    expect(metricsTarget({ KILN_PUSHGATEWAY_URL: address })).toEqual({ gateway, scaleSet: undefined });
    expect(metricsTarget({ KILN_PUSHGATEWAY_URL: address, KILN_SCALE_SET: "bake" })?.scaleSet).toBe("bake");
  });

  it.each([
    ["gateway", "is no address"],
    ["gateway:9091", "is no http or https address"],
    ["ftp://gateway", "is no http or https address"],
    ["http://user:s3cret@gateway:9091", "has a user or password in it"],
    ["http://s3cret@gateway:9091", "has a user or password in it"],
    ["http://gateway:9091?token=s3cret", "has a query or fragment in it"],
    ["http://gateway:9091/#s3cret", "has a query or fragment in it"],
  ])("refuses %s with a mend, and does not repeat it", (address, problem) => {
    const refused = () => metricsTarget({ KILN_PUSHGATEWAY_URL: address });
    expect(refused).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: `KILN_PUSHGATEWAY_URL ${problem}`,
        mend: expect.stringContaining("http://host:9091") as string,
      }),
    );
  });
});

describe("groupPath", () => {
  it("names the group by job, scale set and shard", () => {
    expect(groupPath({ shard: "aws", scaleSet: "dev-a-bake-lane-0" })).toBe(
      "/metrics/job/kiln-cache-warm/scale_set/dev-a-bake-lane-0/shard/aws",
    );
    expect(groupPath({ shard: "shard-1", scaleSet: undefined })).toBe("/metrics/job/kiln-cache-warm/shard/shard-1");
  });

  it.each([
    ["a/b", "shard@base64/YS9i"],
    ["..", "shard@base64/Li4"],
    ["", "shard@base64/="],
    ["a b?c#d%2F", "shard@base64/YSBiP2MjZCUyRg"],
  ])("escapes the shard %j", (shard, label) => {
    expect(groupPath({ shard, scaleSet: undefined })).toBe(`/metrics/job/kiln-cache-warm/${label}`);
  });

  it("gives every shard a path that an address keeps, and that leads back to it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (shard) => {
        const { pathname, search, hash } = new URL(`http://gateway${groupPath({ shard, scaleSet: undefined })}`);
        expect([search, hash]).toEqual(["", ""]);
        const [, , , , label, value = "", ...more] = pathname.split("/");
        expect(more).toEqual([]);
        const plain = label === "shard@base64" ? Buffer.from(value, "base64url").toString() : value;
        expect(plain).toBe(shard);
      }),
    );
  });
});

describe("exposition", () => {
  it("is what Prometheus reads: help, type and value of each gauge, and a new line at the end", () => {
    const measure = { shard: "aws", scaleSet: "bake", hits: 120, misses: 3, seconds: 12.5, ended: 1790000000.25 };
    expect(exposition(measure)).toBe(
      `# HELP kiln_cache_packages Packages that the last warm found in its store (hit) or compiled (miss).
# TYPE kiln_cache_packages gauge
kiln_cache_packages{result="hit"} 120
kiln_cache_packages{result="miss"} 3
# HELP kiln_cache_warm_seconds Wall time of the last warm.
# TYPE kiln_cache_warm_seconds gauge
kiln_cache_warm_seconds 12.5
# HELP kiln_cache_warm_timestamp_seconds When the last warm ended.
# TYPE kiln_cache_warm_timestamp_seconds gauge
kiln_cache_warm_timestamp_seconds 1790000000.25
`,
    );
  });
});
