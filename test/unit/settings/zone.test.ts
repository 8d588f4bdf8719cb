import { describe, expect, it } from "vitest";
import { zoneOf } from "../../../settings/zone.ts";
import type { Raw } from "../../support/runner-settings.ts";

const OF = { stack: "dev", tenant: "a", trust: "trusted", grouped: true } as const;

function zone(about: Raw = {}, of: Partial<Parameters<typeof zoneOf>[1]> = {}) {
  const value = { sets: { bake: { maxRunners: 2 } }, ...about };
  return zoneOf({ file: "f", key: "kiln:z", value }, { ...OF, ...of });
}

const kind = (about: Raw) => zone({ sets: { bake: { maxRunners: 2, ...about } } }).sets.bake;

describe("a zone", () => {
  it("has every default filled in", () => {
    expect(zone({}, { trust: "untrusted" })).toEqual({
      at: "f: kiln:z",
      trust: "untrusted",
      namespace: "runners-dev-a-untrusted",
      runnerGroup: "kiln-dev-a-untrusted",
      workflow: undefined,
      cache: undefined,
      sets: { bake: expect.objectContaining({ at: "f: kiln:z.sets.bake", maxRunners: 2 }) as unknown },
      network: { ssh: false, clusterNetworks: [], apiServer: [], services: {}, networks: {} },
      quota: {},
      limits: { defaultLimits: {} },
      buildkit: undefined,
    });
  });

  it("takes what is left empty for not said", () => {
    const empty = { namespace: null, runnerGroup: null, cache: null, network: null, quota: null, buildkit: null };
    expect(zone(empty)).toEqual(zone());
  });

  it("has no runner group at a repository", () => {
    expect(zone({}, { grouped: false }).runnerGroup).toBeUndefined();
    expect(() => zone({ runnerGroup: "ci" }, { grouped: false })).toThrow("f: kiln:z.runnerGroup names a runner group");
  });

  it("reads what containers get that say nothing, where a quota asks for it", () => {
    const limits = { defaultLimits: { cpu: 2, memory: "4Gi" }, max: { memory: "32Gi" } };
    expect(zone({ limits }).limits).toEqual({ defaultLimits: { cpu: "2", memory: "4Gi" }, max: { memory: "32Gi" } });
  });

  it("reads quotas as YAML has them", () => {
    expect(zone({ quota: { "limits.cpu": 40, pods: "20" } }).quota).toEqual({ "limits.cpu": "40", pods: "20" });
  });

  it.each<[Raw, Raw]>([
    [{ size: "20Gi" }, { size: "20Gi" }],
    [
      { size: "20Gi", image: "buildkit:v1", storageClass: "fast" },
      { size: "20Gi", image: "buildkit:v1", storageClass: "fast" },
    ],
  ])("has a buildkitd of %j", (given, read) => {
    expect(zone({ buildkit: given }).buildkit).toEqual(read);
  });

  it.each<[string, Raw, string]>([
    ["no kinds of runner", { sets: null }, "sets is not set"],
    ["a kind in capitals", { sets: { Bake: {} } }, "sets.Bake has a name that cannot be used"],
    ["a kind that ends in a dash", { sets: { "bake-": {} } }, "sets.bake- has a name that cannot be used"],
    ["a namespace that is none", { namespace: "CI" }, 'namespace is "CI", which is no name for Kubernetes'],
    ["a buildkitd without a size", { buildkit: {} }, "buildkit.size is not set"],
    ["a quota that says nothing", { quota: { pods: "" } }, "quota.pods is not set"],
    ["a key that it does not know", { lanes: 2 }, "lanes is not a setting"],
  ])("is refused with %s", (_, about, message) => {
    expect(() => zone(about)).toThrow(`f: kiln:z.${message}`);
  });
});

describe("a kind of runner", () => {
  it("has every default filled in", () => {
    expect(kind({})).toEqual({
      ...{ at: "f: kiln:z.sets.bake", mode: "none", minRunners: 0, maxRunners: 2, cache: false, labels: [] },
      ...{ requests: {}, limits: {}, nodeSelector: {}, tolerations: [], spot: false },
      ...{ priorityClass: undefined, runtimeClass: undefined, workVolume: undefined, dockerImage: undefined },
    });
  });

  it.each<[Raw, Raw]>([
    [{ key: "ci" }, { key: "ci", operator: "Exists" }],
    [
      { key: "ci", value: "only" },
      { key: "ci", operator: "Equal", value: "only" },
    ],
    [
      { key: "ci", operator: "Exists", effect: "NoExecute" },
      { key: "ci", operator: "Exists", effect: "NoExecute" },
    ],
  ])("tolerates %j", (given, read) => {
    expect(kind({ tolerations: [given] })?.tolerations).toEqual([read]);
  });

  it("selects nodes by labels that YAML takes for other things", () => {
    expect(kind({ nodeSelector: { spot: true, zone: 1 } })?.nodeSelector).toEqual({ spot: "true", zone: "1" });
  });

  it("has a Docker daemon of an image of its own", () => {
    const dockerImage = `docker.io/library/docker@sha256:${"d".repeat(64)}`;
    expect(kind({ mode: "dind", dockerImage })).toMatchObject({ mode: "dind", dockerImage });
  });

  it("shares a volume of a class with its jobs", () => {
    expect(kind({ workVolume: { size: "20Gi" } })?.workVolume).toEqual({ size: "20Gi", storageClass: undefined });
  });

  it.each<[string, Raw, string]>([
    ["a label that says nothing", { labels: ["iac", ""] }, "labels[1] is not set"],
    ["a toleration of nothing", { tolerations: [{}] }, "tolerations[0].key is not set"],
    ["an operator that is none", { tolerations: [{ key: "a", operator: "In" }] }, "tolerations[0].operator is"],
    ["a work volume without a size", { workVolume: {} }, "workVolume.size is not set"],
    ["half a runner", { maxRunners: 1.5 }, "maxRunners must be a whole number of at least 1"],
    ["fewer than none idle", { minRunners: -1 }, "minRunners must be a whole number of at least 0"],
    ["a Docker daemon of no image", { dockerImage: "Docker dind" }, 'dockerImage is "Docker dind", which is no image'],
    ["a cache by name", { cache: "lane" }, "cache must be true or false"],
  ])("is refused with %s", (_, about, message) => {
    expect(() => kind(about)).toThrow(`f: kiln:z.sets.bake.${message}`);
  });
});
