import { describe, expect, it } from "vitest";
import { KilnError } from "../../../errors.ts";
import { zoneOf } from "../../../settings/zone.ts";
import { FILE, plansOf, runnersOf, tenantOf, type Raw } from "../../support/runner-settings.ts";

const KEY = "kiln:tenants.a";
const LONG = "a".repeat(64);

const set = (about: Raw) => ({ trusted: { sets: { bake: { maxRunners: 2, ...about } } } });
const zone = (about: Raw) => ({ trusted: { sets: { bake: { maxRunners: 2 } }, ...about } });
const ofSet = (about: Raw) => runnersOf({ a: tenantOf(set(about)) }).tenants.a?.trusted.sets.bake;

/** The refusal of a tenant, at preview: its settings, else its plan. */
function refusalOf(about: Raw): KilnError {
  try {
    plansOf(runnersOf({ a: tenantOf(about) }));
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("what Kubernetes takes", () => {
  it.each<[string, Raw, Raw]>([
    ["cores", { requests: { cpu: 0.5 }, limits: { cpu: "500m" } }, { requests: { cpu: "0.5" } }],
    ["whole cores", { requests: { cpu: 4 }, limits: { cpu: "4.5" } }, { requests: { cpu: "4" } }],
    ["memory", { requests: { memory: "1Gi" }, limits: { memory: "1025Mi" } }, { limits: { memory: "1025Mi" } }],
    ["powers of ten", { requests: { "ephemeral-storage": "12e9" } }, { requests: { "ephemeral-storage": "12e9" } }],
    ["a device", { requests: { "nvidia.com/gpu": 1 }, limits: { "nvidia.com/gpu": 1 } }, {}],
    ["a device by its limit", { limits: { "nvidia.com/gpu": 1 } }, { limits: { "nvidia.com/gpu": "1" } }],
    ["a node's role", { nodeSelector: { "node-role.kubernetes.io/ci": "" } }, {}],
    ["a label in capitals", { nodeSelector: { Pool_1: "A.b_c-D" } }, { nodeSelector: { Pool_1: "A.b_c-D" } }],
    [
      "a taint whose value YAML reads as another thing",
      { tolerations: [{ key: "acme.com/spot", value: true, effect: "PreferNoSchedule" }] },
      {
        tolerations: [{ key: "acme.com/spot", operator: "Equal", value: "true", effect: "PreferNoSchedule" }],
      },
    ],
    ["classes", { priorityClass: "ci.high", runtimeClass: "kata" }, { priorityClass: "ci.high", runtimeClass: "kata" }],
    ["no class at all", { workVolume: { size: "1.5Gi", storageClass: "" } }, { workVolume: { storageClass: "" } }],
  ])("is taken: %s", (_, about, read) => {
    expect(ofSet(about)).toMatchObject(about.nodeSelector === undefined ? read : { ...read, ...about });
  });

  it.each(["ca.crt", "CA_1", ".hidden", "a"])("is a certificate under %s", (key) => {
    const certificateAuthority = { configMap: "ghes.ca", key };
    expect(runnersOf({ a: tenantOf({ certificateAuthority }) }).tenants.a).toMatchObject({ certificateAuthority });
  });
});

describe("what Kubernetes would refuse later is refused at preview", () => {
  it.each<[Raw, string, string]>([
    [{ requests: { cpu: "four" } }, 'requests.cpu is "four", which is no amount above 0', "4, 500m, 16Gi"],
    [{ requests: { cpu: 0 } }, "requests.cpu is the number 0, which is no amount above 0", "500m"],
    [{ requests: { cpu: "-1" } }, 'requests.cpu is "-1", which', "500m"],
    [{ requests: { memory: "12GB" } }, 'requests.memory is "12GB", which', "16Gi"],
    [{ limits: { memory: "16 Gi" } }, 'limits.memory is "16 Gi", which', "16Gi"],
    [{ limits: { memory: "1e999" } }, 'limits.memory is "1e999", which', "16Gi"],
    [{ limits: { memory: true } }, "limits.memory is the boolean true, which", "16Gi"],
    [{ requests: { cpus: 4 } }, "requests.cpus has a name that cannot be used", "cpu, memory"],
    [{ requests: { cpu: 4 }, limits: { cpu: "3900m" } }, "requests.cpu is 4, more than its limit", "3900m at most"],
    [
      { requests: { memory: "12Gi" }, limits: { memory: "12G" } },
      "requests.memory is 12Gi, more than its limit, which is 12G",
      "12G at most",
    ],
    [{ requests: { "a.b/gpu": 1 } }, "requests.a.b/gpu is 1, but its limit is not set", "limit to 1"],
    [{ requests: { "a.b/gpu": 1 }, limits: { "a.b/gpu": 2 } }, "requests.a.b/gpu is 1, but its limit is 2", "to 1"],
    [{ nodeSelector: { "a b": "c" } }, "nodeSelector.a b has a name that cannot be used", "label's key"],
    [{ nodeSelector: { "A.io/pool": "c" } }, "nodeSelector.A.io/pool has a name that cannot", "label's key"],
    [{ nodeSelector: { "a/b/c": "d" } }, "nodeSelector.a/b/c has a name that cannot be used", "label's key"],
    [{ nodeSelector: { [LONG]: "c" } }, `nodeSelector.${LONG} has a name that cannot be used`, "label's key"],
    [{ nodeSelector: { pool: "c i" } }, 'nodeSelector.pool is "c i", which is no value of a label', "63 letters"],
    [{ nodeSelector: { pool: LONG } }, `nodeSelector.pool is "${LONG}", which is no value`, "63 letters"],
    [{ nodeSelector: { pool: "-ci" } }, 'nodeSelector.pool is "-ci", which is no value of a label', "begin and end"],
    [{ nodeSelector: { pool: null } }, "nodeSelector.pool is not set", "text"],
    [
      { tolerations: [{ key: "a b" }] },
      'tolerations[0].key is "a b", which is no key of a taint',
      "as the node has it",
    ],
    [{ tolerations: [{ key: "a", value: "b c" }] }, 'tolerations[0].value is "b c", which is no value', "63 letters"],
    [{ tolerations: [{ key: "a", effect: "NoRun" }] }, 'tolerations[0].effect is "NoRun"', "or NoExecute"],
    [{ tolerations: [{ key: "a", effect: "" }] }, 'tolerations[0].effect is ""', "NoSchedule or"],
    [
      { tolerations: [{ key: "a", operator: "Exists", value: "b" }] },
      "tolerations[0].value is set, but operator Exists takes every value",
      "Remove it",
    ],
    [{ priorityClass: "CI" }, 'priorityClass is "CI", which is no name of a Kubernetes object', "lower-case"],
    [{ runtimeClass: "kata_fc" }, 'runtimeClass is "kata_fc", which is no name', "lower-case"],
    [{ runtimeClass: "" }, 'runtimeClass is "", which is no name', "lower-case"],
    [{ workVolume: { size: "20GB" } }, 'workVolume.size is "20GB", which is no size of a volume', "20Gi"],
    [{ workVolume: { size: "1Gi", storageClass: "a..b" } }, 'workVolume.storageClass is "a..b", which', "lower-case"],
  ])("in a kind of runner: %j", (about, message, mend) => {
    const error = refusalOf(set(about));
    expect(error).toMatchObject({ kind: "usage", mend: expect.stringContaining(mend) as unknown });
    expect(error.message).toContain(`${FILE}: ${KEY}.trusted.sets.bake.${message}`);
  });

  it.each<[Raw, string]>([
    [{ cache: { storageClass: "Fast" } }, 'cache.storageClass is "Fast", which is no name of a Kubernetes object'],
    [{ cache: { moduleCache: { storageClass: "-nfs" } } }, 'cache.moduleCache.storageClass is "-nfs", which'],
    [{ buildkit: { size: "big" } }, 'buildkit.size is "big", which is no size of a volume'],
    [{ buildkit: { size: "1Gi", storageClass: "x_y" } }, 'buildkit.storageClass is "x_y", which'],
  ])("in a zone: %j", (about, message) => {
    expect(refusalOf(zone(about)).message).toContain(`${FILE}: ${KEY}.trusted.${message}`);
  });

  it.each(["61 3 * * *", "0 3 * * 7", "0 3 31-1 * *"])("in a plan: a cache that is collected at %s", (schedule) => {
    const cache = { size: "50Gi", garbageCollection: { schedule } };
    const sets = { bake: { maxRunners: 2, cache: true } };
    const error = refusalOf({ trusted: { cache, sets } });
    expect(error.message).toContain(`${FILE}: ${KEY}.trusted.cache.garbageCollection.schedule is "${schedule}"`);
    expect(error.mend).toContain("0 to 6");
  });

  it.each<[Raw, string]>([
    [{ imagePullSecrets: ["Pull"] }, 'imagePullSecrets[0] is "Pull", which is no name of a Kubernetes object'],
    [{ certificateAuthority: { configMap: "a_b", key: "ca.crt" } }, 'certificateAuthority.configMap is "a_b", which'],
    [
      { certificateAuthority: { configMap: "a", key: "../ca" } },
      'certificateAuthority.key is "../ca", which is no key of a ConfigMap',
    ],
    [{ certificateAuthority: { configMap: "a", key: "..ca" } }, 'certificateAuthority.key is "..ca", which'],
    [{ certificateAuthority: { configMap: "a", key: "." } }, 'certificateAuthority.key is ".", which'],
    [{ certificateAuthority: { configMap: "a", key: "ca crt" } }, 'certificateAuthority.key is "ca crt", which'],
  ])("in a tenant: %j", (about, message) => {
    expect(refusalOf(about).message).toContain(`${FILE}: ${KEY}.${message}`);
  });

  it.each<[Raw, string]>([
    [{ credentials: { secret: "ghp_hunter2" } }, "credentials.secret is no name of a Kubernetes object"],
    [{ credentials: { secret: "hunter2/" } }, "credentials.secret is no name of a Kubernetes object"],
    [
      { proxy: { http: { url: "http://a:1", credentialSecretRef: "u:hunter2" } } },
      "proxy.http.credentialSecretRef is no name of a Kubernetes object",
    ],
  ])("and not repeated where it may be a secret: %j", (about, message) => {
    const { message: said, mend = "" } = refusalOf(about);
    expect(said).toContain(`${FILE}: ${KEY}.${message}`);
    expect(`${said} ${mend}`).not.toContain("hunter2");
  });
});

it("holds for names of 253 characters and no more", () => {
  const named = (priorityClass: string) =>
    zoneOf(
      { file: "f", key: "k", value: { sets: { bake: { maxRunners: 1, priorityClass } } } },
      { stack: "dev", tenant: "a", trust: "trusted", grouped: true },
    );
  expect(() => named("a".repeat(253))).not.toThrow();
  expect(() => named("a".repeat(254))).toThrow("k.sets.bake.priorityClass is");
});
