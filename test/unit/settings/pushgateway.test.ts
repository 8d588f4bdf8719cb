import { describe, expect, it } from "vitest";
import { runnersOf, tenantOf } from "../../support/runner-settings.ts";

const gatewayOf = (pushgateway: unknown) =>
  runnersOf({ a: tenantOf() }, { cluster: { pushgateway } }).cluster.pushgateway;

describe("kiln:cluster.pushgateway", () => {
  it("is none where it is not set", () => {
    expect(gatewayOf(undefined)).toBeUndefined();
    expect(gatewayOf(null)).toBeUndefined();
  });

  it("is the chart's Service and port where only the namespace is", () => {
    expect(gatewayOf({ namespace: "monitoring" })).toEqual({
      ...{ namespace: "monitoring", service: "prometheus-pushgateway", port: 9091, podLabels: {} },
    });
  });

  it("is what it says", () => {
    const gateway = { namespace: "m", service: "pg", port: 80, podLabels: { app: "pg" } };
    expect(gatewayOf(gateway)).toEqual(gateway);
    expect(gatewayOf({ ...gateway, port: "80" })).toEqual(gateway);
  });

  it.each<[string, unknown, RegExp]>([
    ["no namespace", { service: "pg" }, /kiln:cluster\.pushgateway\.namespace is not set/],
    ["nothing at all", {}, /kiln:cluster\.pushgateway\.namespace is not set/],
    ["a namespace that is none", { namespace: "My NS" }, /kiln:cluster\.pushgateway\.namespace/],
    ["a service that is none", { namespace: "m", service: "http://pg" }, /kiln:cluster\.pushgateway\.service/],
    ["an empty service", { namespace: "m", service: "" }, /kiln:cluster\.pushgateway\.service/],
    ["a port that is none", { namespace: "m", port: 70_000 }, /kiln:cluster\.pushgateway\.port is .*no port/],
    ["port 0", { namespace: "m", port: 0 }, /kiln:cluster\.pushgateway\.port must be/],
    ["an address", "http://pg:9091", /kiln:cluster\.pushgateway must be a map/],
    ["an unknown key", { namespace: "m", ports: 1 }, /kiln:cluster\.pushgateway\.ports is not a setting/],
  ])("refuses %s, and names the key", (_, pushgateway, message) => {
    expect(() => gatewayOf(pushgateway)).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringMatching(message) as string }),
    );
  });
});
