import { describe, expect, it } from "vitest";
import { clusterWanted } from "../../../../runners/cluster/stack-cluster.ts";
import { objectKey, qualified } from "../../../../runners/cluster/wanted.ts";
import { FILE, plansOf, runnersOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

/** What a stack with these tenants needs of its cluster. */
function wanted(tenants: Raw, raw: Raw = {}) {
  const runners = runnersOf(tenants, { controller: { replicas: 1 }, ...raw });
  return clusterWanted(runners, plansOf(runners), FILE);
}

const CONTROLLER_ELSEWHERE = { manage: false, namespace: "arc", serviceAccount: "arc", version: "0.14.1" };
const ZONE = `${FILE}: kiln:tenants.a.trusted`;

/** The trusted zone of tenant `a` with a kind of runner that uses this cache. */
function cached(cache: Raw, kind: Raw = {}): Raw {
  return { a: tenantOf({ trusted: { cache, sets: { bake: { maxRunners: 2, cache: true, ...kind } } } }) };
}

const permissionsOf = (...args: Parameters<typeof wanted>) => wanted(...args).permissions.map(qualified);

describe("what a stack needs of its cluster", () => {
  it("is next to nothing where it brings everything", () => {
    const { storageClasses, resourceTypes, controller, objects } = wanted({ a: tenantOf() });
    expect({ storageClasses, resourceTypes, controller, objects }).toEqual({
      ...{ storageClasses: [], resourceTypes: [], controller: undefined, objects: [] },
    });
  });

  it("is the controller of another stack, and its kinds", () => {
    const { resourceTypes, controller } = wanted({ a: tenantOf() }, { controller: CONTROLLER_ELSEWHERE });
    expect(controller).toEqual({ at: `${FILE}: kiln:controller`, namespace: "arc", version: "0.14.1" });
    expect(resourceTypes.map((type) => `${type.at} ${qualified(type)}`)).toEqual(
      ["autoscalinglisteners", "autoscalingrunnersets", "ephemeralrunners", "ephemeralrunnersets"].map(
        (plural) => `${FILE}: kiln:controller.manage ${plural}.actions.github.com`,
      ),
    );
  });

  it("is the Prometheus operator, where metrics are for it", () => {
    const { resourceTypes } = wanted({ a: tenantOf() }, { cluster: { monitoring: "prometheus-operator" } });
    expect(resourceTypes.map(({ at, resource, version }) => [at, resource, version])).toEqual([
      [`${FILE}: kiln:cluster.monitoring`, "podmonitors", "v1"],
      [`${FILE}: kiln:cluster.monitoring`, "prometheusrules", "v1"],
    ]);
  });

  it("is the class of each volume that it makes, the default one too", () => {
    const lanes = wanted(cached({ mode: "lane", lanes: 2, size: "50Gi" })).storageClasses;
    expect(lanes).toEqual([1, 2].map(() => ({ at: `${ZONE}.cache.storageClass`, name: undefined })));
    const [fast] = wanted(cached({ mode: "node", node: "n1", size: "50Gi", storageClass: "fast" })).storageClasses;
    expect(fast).toEqual({ at: `${ZONE}.cache.storageClass`, name: "fast" });
  });

  it("is no class for a folder of a node", () => {
    const cache = { mode: "node", node: "n1", size: "50Gi", localPath: "/srv/cache" };
    expect(wanted(cached(cache)).storageClasses).toEqual([]);
    expect(permissionsOf(cached(cache))).toContain("persistentvolumes");
  });

  it.each<[string, Raw, Raw, string, string]>([
    ["a node", { mode: "node", node: "n1", size: "50Gi" }, {}, `${ZONE}.cache.node`, "Node n1"],
    [
      "a golden claim",
      { mode: "readonly", sourceClaim: "golden", buildCacheSize: "20Gi" },
      {},
      `${ZONE}.cache.sourceClaim`,
      "PersistentVolumeClaim runners-dev-a-trusted/golden",
    ],
    [
      "a snapshot",
      { mode: "clone", snapshot: "golden", size: "50Gi" },
      {},
      `${ZONE}.cache.snapshot`,
      "VolumeSnapshot runners-dev-a-trusted/golden",
    ],
    ["a priority", { mode: "none" }, { priorityClass: "ci" }, `${ZONE}.sets.bake.priorityClass`, "PriorityClass ci"],
    ["a runtime", { mode: "none" }, { runtimeClass: "kata" }, `${ZONE}.sets.bake.runtimeClass`, "RuntimeClass kata"],
  ])("is %s that it names", (_, cache, kind, at, key) => {
    expect(wanted(cached(cache, kind)).objects.map((object) => [object.at, objectKey(object)])).toEqual([[at, key]]);
  });

  it("is the snapshot controller, where a cache starts from a snapshot", () => {
    const { resourceTypes } = wanted(cached({ mode: "clone", snapshot: "golden", size: "50Gi" }));
    expect(resourceTypes.map((type) => [type.at, qualified(type)])).toEqual([
      [`${ZONE}.cache.snapshot`, "volumesnapshots.snapshot.storage.k8s.io"],
    ]);
  });

  it("is a Secret with a whole set of keys in each namespace of a tenant that names one", () => {
    const sets = { bake: { maxRunners: 1 }, image: { mode: "dind", maxRunners: 1 } };
    const named = tenantOf({ credentials: { secret: "github-app" }, trusted: { sets } });
    const vault = { secret: "s", url: "https://v", tenantId: "t", clientId: "c", certificatePath: "/certificate" };
    const others = { c: tenantOf({ credentials: { token: "kiln:token" } }), d: tenantOf({ credentials: { vault } }) };
    const { objects } = wanted({ a: named, b: tenantOf(), ...others });
    const keys = [["github_app_id", "github_app_installation_id", "github_app_private_key"], ["github_token"]];
    expect(objects).toEqual(
      ["runners-dev-a-trusted", "runners-dev-a-trusted-dind"].map((namespace) => ({
        ...{ at: `${FILE}: kiln:tenants.a.credentials.secret`, kind: "Secret", name: "github-app", namespace, keys },
      })),
    );
  });

  it("is the namespace that its controller watches, unless the stack makes it", () => {
    const [object, ...others] = wanted({}, { controller: { watchNamespace: "ci" } }).objects;
    expect(others).toEqual([]);
    expect(object).toEqual({ at: `${FILE}: kiln:controller.watchNamespace`, kind: "Namespace", name: "ci" });
    expect(wanted({ a: tenantOf() }, { controller: { watchNamespace: "runners-dev-a-trusted" } }).objects).toEqual([]);
    expect(wanted({}, { controller: { ...CONTROLLER_ELSEWHERE, watchNamespace: "ci" } }).objects).toEqual([]);
  });
});

describe("what a stack has to be allowed", () => {
  const RUNNERS = ["autoscalingrunnersets.actions.github.com", "daemonsets.apps", "persistentvolumeclaims", "secrets"];
  const CONTROLLER = ["customresourcedefinitions.apiextensions.k8s.io", "deployments.apps"];
  const EITHER = ["namespaces", "serviceaccounts", "roles.rbac.authorization.k8s.io"];

  it("is to make what it makes", () => {
    expect(permissionsOf({ a: tenantOf() })).toEqual(expect.arrayContaining([...RUNNERS, ...CONTROLLER, ...EITHER]));
    expect(wanted({ a: tenantOf() }).permissions.map(({ verb }) => verb)).toEqual(
      permissionsOf({ a: tenantOf() }).map(() => "create"),
    );
  });

  it.each<[string, Raw, Raw, readonly string[]]>([
    ["a controller alone", {}, {}, RUNNERS],
    ["runners alone", { a: tenantOf() }, { controller: CONTROLLER_ELSEWHERE }, CONTROLLER],
    ["neither buildkitd nor metrics", { a: tenantOf() }, {}, ["statefulsets.apps", "services", "configmaps"]],
    ["neither folders of nodes", { a: tenantOf() }, {}, ["persistentvolumes"]],
  ])("and no more: %s", (_, tenants, raw, others) => {
    const allowed = permissionsOf(tenants, raw);
    expect(allowed).toEqual(expect.arrayContaining(EITHER));
    expect(allowed.filter((one) => others.includes(one))).toEqual([]);
    expect(new Set(allowed).size).toBe(allowed.length);
  });

  it("is a buildkitd's parts and what metrics are read by, where it has them", () => {
    const buildkit = { sets: { bake: { maxRunners: 1 } }, buildkit: { size: "20Gi" } };
    expect(permissionsOf({ a: tenantOf({ trusted: buildkit }) })).toEqual(
      expect.arrayContaining(["statefulsets.apps", "services", "configmaps"]),
    );
    const monitored = permissionsOf({ a: tenantOf() }, { cluster: { monitoring: "prometheus-operator" } });
    expect(monitored).toEqual(
      expect.arrayContaining([
        "configmaps",
        "podmonitors.monitoring.coreos.com",
        "prometheusrules.monitoring.coreos.com",
      ]),
    );
  });
});
