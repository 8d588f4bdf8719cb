import { describe, expect, it } from "vitest";
import { connectionOf, plannedScaleSet } from "../../../../runners/tenant/scale-set.ts";
import { plansOf, runnersOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

const CONTROLLER = { namespace: "arc-systems", serviceAccount: "arc-controller", version: "0.14.2" };

/** The scale sets of a trusted zone with one kind of runner, `bake`. */
function scaleSets(kind: Raw, { tenant = {}, zone = {} }: { readonly tenant?: Raw; readonly zone?: Raw } = {}) {
  const trusted = { ...zone, sets: { bake: { maxRunners: 2, ...kind } } };
  const runners = runnersOf({ a: tenantOf({ trusted, ...tenant }) });
  const { a } = runners.tenants;
  if (a === undefined) throw new Error("no tenant was read");
  const namespaces = plansOf(runners).a?.namespaces ?? [];
  return namespaces.flatMap(({ sets }) =>
    sets.map((set) => plannedScaleSet(a, set, { controller: CONTROLLER, arch: "arm64" })),
  );
}

describe("a planned scale set", () => {
  it("says nothing that its settings do not say", () => {
    expect(scaleSets({})).toEqual([
      {
        scaleSetName: "dev-a-bake",
        configUrl: "https://github.com/acme",
        controller: CONTROLLER,
        arch: "arm64",
        mode: "none",
        minRunners: 0,
        maxRunners: 2,
        resources: { requests: {}, limits: {} },
        nodeSelector: {},
        tolerations: [],
        spot: false,
      },
    ]);
  });

  it("says all that they do", () => {
    const kind = {
      mode: "kubernetes",
      minRunners: 1,
      labels: ["iac"],
      nodeSelector: { pool: "ci" },
      tolerations: [{ key: "ci", value: "only", effect: "NoSchedule" }],
      spot: true,
      priorityClass: "ci",
      runtimeClass: "kata",
      workVolume: { size: "20Gi", storageClass: "fast" },
    };
    const [set] = scaleSets(kind, { zone: { network: { apiServer: ["10.0.0.1/32"] } } });
    expect(set).toMatchObject({
      mode: "kubernetes",
      minRunners: 1,
      labels: ["iac"],
      nodeSelector: { pool: "ci" },
      tolerations: [{ key: "ci", operator: "Equal", value: "only", effect: "NoSchedule" }],
      spot: true,
      priorityClassName: "ci",
      runtimeClassName: "kata",
      workVolumeClaim: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "fast",
        resources: { requests: { storage: "20Gi" } },
      },
    });
  });

  it.each<[string, Raw, Raw]>([
    ["what is asked for", { requests: { cpu: 2, memory: "4Gi" } }, { memory: "4Gi" }],
    ["what is set", { requests: { memory: "4Gi" }, limits: { memory: "6Gi", cpu: 3 } }, { memory: "6Gi", cpu: "3" }],
    ["nothing", { requests: { cpu: 2 } }, {}],
  ])("takes no more memory than %s", (_, kind, limits) => {
    expect(scaleSets(kind)[0]?.resources?.limits).toEqual(limits);
  });

  it("meets the cache of its lane", () => {
    const sets = scaleSets({ cache: true }, { zone: { cache: { mode: "lane", lanes: 2, size: "50Gi" } } });
    expect(sets.map(({ cache }) => cache?.key)).toEqual(["lane-0", "lane-1"]);
    expect(sets.map(({ maxRunners }) => maxRunners)).toEqual([1, 1]);
  });

  it("reads its credentials from the tenant's vault", () => {
    const vault = { url: "https://v", tenantId: "t", clientId: "c", certificatePath: "/certificate" };
    const [set] = scaleSets({}, { tenant: { credentials: { vault: { secret: "github", ...vault } } } });
    expect(set?.vault).toEqual(vault);
  });
});

describe("how a tenant's pods reach GitHub", () => {
  function connection(about: Raw) {
    const { a } = runnersOf({ a: tenantOf(about) }).tenants;
    if (a === undefined) throw new Error("no tenant was read");
    return connectionOf(a);
  }

  it("is directly where nothing is said", () => {
    expect(connection({})).toEqual({});
  });

  it("is through its proxies, whose passwords are in Secrets", () => {
    const proxy = {
      http: { url: "http://proxy:3128", credentialSecretRef: "proxy" },
      https: { url: "http://proxy:3129" },
      noProxy: ["acme.example"],
    };
    expect(connection({ proxy })).toEqual({ proxy });
    expect(connection({ proxy: { https: { url: "http://proxy:3129" } } })).toEqual({
      proxy: { https: { url: "http://proxy:3129" } },
    });
  });

  it("is with the certificate of its server, where jobs look for it", () => {
    expect(connection({ certificateAuthority: { configMap: "ghes", key: "ca.crt" } })).toEqual({
      certificateAuthority: {
        ...{ configMap: "ghes", key: "ca.crt" },
        runnerMountPath: "/usr/local/share/ca-certificates/",
      },
    });
  });
});
