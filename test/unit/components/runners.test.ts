import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it, vi } from "vitest";
import { Runners, type RunnersArgs } from "../../../components/runners.ts";
import { recordResources, settled } from "../../support/mocks.ts";
import { recordRegistrations } from "../../support/registrations.ts";
import { plansOf, runnersOf, SECRETS, tenantOf, type Raw } from "../../support/runner-settings.ts";

const IMAGE = `localhost:5180/actions-runner@sha256:${"a".repeat(64)}`;
const CORE = "kubernetes:core/v1";
const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const CLAIM = `${CORE}:PersistentVolumeClaim`;
const RBAC = "kubernetes:rbac.authorization.k8s.io/v1";
const SET = "kubernetes:actions.github.com/v1alpha1:AutoscalingRunnerSet";
const CRD = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition";
const CRON_JOB = "kubernetes:batch/v1:CronJob";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment runners-controller";
const ELSEWHERE = { manage: false, namespace: "arc", serviceAccount: "arc-account", version: "0.14.1" };

const LANES = { cache: { mode: "lane", lanes: 2, size: "50Gi" }, sets: { bake: { maxRunners: 2, cache: true } } };

/** The runners of these tenants, in a stack with these values, and all that was registered for them. */
async function runners(tenants: Raw, raw: Raw = {}, args: Partial<RunnersArgs> = {}) {
  vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  pulumi.runtime.setAllConfig({ "kiln:appKey": SECRETS.appKey, "kiln:token": SECRETS.token }, [
    "kiln:appKey",
    "kiln:token",
  ]);
  const resources = await recordResources();
  const registrations = recordRegistrations();
  const settings = runnersOf(tenants, { controller: {}, ...raw });
  const preflight = { plans: plansOf(settings), crds: undefined, arch: "amd64", warnings: [], notes: [] } as const;
  const made = new Runners("runners", { settings, preflight, image: IMAGE, runnerGroups: {}, ...args });
  await settled();
  vi.restoreAllMocks();
  const named = ({ type, name }: { readonly type: string; readonly name: string }) => `${type} ${name}`;
  return {
    made,
    names: resources.map(named).toSorted(),
    registrations,
    registrationOf: (resource: string) => registrations.find((registration) => named(registration) === resource),
    inputsOf: (resource: string) => resources.find((recorded) => named(recorded) === resource)?.inputs,
  };
}

type Recorded = Awaited<ReturnType<typeof runners>>;

/** All that has to be there before a resource is: what it depends on, and what that depends on. */
function beforehand({ registrationOf }: Recorded, resource: string): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...(registrationOf(resource)?.dependsOn ?? [])];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    waiting.push(...(registrationOf(next)?.dependsOn ?? []));
  }
  return found;
}

/** The namespace of runners `name`, ready for scale sets. */
function namespaceOf(name: string): readonly string[] {
  return [
    `kubernetes:apps/v1:DaemonSet ${name}-images`,
    `kiln:runner:ImagePrePull ${name}-images`,
    `kiln:runner:RunnerNamespace ${name}`,
    ...["LimitRange ${}-limits", "Namespace ${}", "Secret ${}-github"].map(
      (one) => `${CORE}:${one.replace("${}", name)}`,
    ),
    ...["default-deny", "allow-dns", "allow-internet"].map((policy) => `${POLICY} ${name}-${policy}`),
  ];
}

function scaleSet(name: string): readonly string[] {
  return [
    `kiln:runner:RunnerScaleSet ${name}`,
    `${SET} ${name}`,
    `${CORE}:ServiceAccount ${name}-no-permission`,
    `${RBAC}:Role ${name}-manager`,
    `${RBAC}:RoleBinding ${name}-manager`,
  ];
}

const STACK = ["kiln:runner:Runners runners", "kiln:runner:RunnerTenant runners-a"];
const CONTROLLER = [
  "kiln:runner:RunnerController runners-controller",
  DEPLOYMENT,
  ...["autoscalinglisteners", "autoscalingrunnersets", "ephemeralrunners", "ephemeralrunnersets"].map(
    (plural) => `${CRD} runners-controller-${plural}`,
  ),
  ...["Namespace", "ServiceAccount"].map((kind) => `${CORE}:${kind} runners-controller`),
  ...["ClusterRole", "ClusterRoleBinding"].map((kind) => `${RBAC}:${kind} runners-controller-manager`),
  ...["Role", "RoleBinding"].map((kind) => `${RBAC}:${kind} runners-controller-listener`),
];

/** All but the providers, of which cluster-provider.test.ts tells. */
function resourcesOf({ names }: Recorded): readonly string[] {
  return names.filter((name) => !name.startsWith("pulumi:providers:"));
}

describe("the runners of a stack", () => {
  it("are its controller, and each tenant's namespaces and scale sets", async () => {
    const made = await runners({ a: tenantOf({ trusted: LANES }) });
    expect(resourcesOf(made)).toEqual(
      [
        ...[...STACK, ...CONTROLLER, ...namespaceOf("runners-a-trusted")],
        "kiln:runner:CacheVolumes runners-a-trusted-cache",
        ...["lane-0", "lane-1"].flatMap((lane) => [
          `${CLAIM} runners-a-trusted-cache-${lane}`,
          `${CRON_JOB} runners-a-trusted-cache-${lane}-gc`,
          ...scaleSet(`dev-a-bake-${lane}`),
        ]),
      ].toSorted(),
    );
  });

  it("are a controller alone where the stack has no tenants", async () => {
    const made = await runners({}, { controller: { replicas: 1 } });
    expect(resourcesOf(made)).toEqual(["kiln:runner:Runners runners", ...CONTROLLER].toSorted());
    expect(made.made.scaleSets).toEqual({});
  });

  it("have no controller where another stack has it: its account may manage each set all the same", async () => {
    const made = await runners({ a: tenantOf() }, { controller: ELSEWHERE });
    expect(resourcesOf(made)).toEqual(
      [...STACK, ...namespaceOf("runners-a-trusted"), ...scaleSet("dev-a-bake")].toSorted(),
    );
    expect(made.inputsOf(`${RBAC}:RoleBinding dev-a-bake-manager`)).toMatchObject({
      metadata: { namespace: "runners-dev-a-trusted" },
      subjects: [{ kind: "ServiceAccount", name: "arc-account", namespace: "arc" }],
    });
  });

  it("are named for workflows, by tenant and namespace", async () => {
    const sets = { bake: { maxRunners: 1 }, image: { mode: "dind", maxRunners: 1 } };
    const untrusted = { sets: { check: { maxRunners: 1 } } };
    const { made } = await runners({ a: tenantOf({ trusted: { sets }, untrusted }), b: tenantOf({ trusted: LANES }) });
    expect(made.scaleSets).toEqual({
      a: { trusted: ["dev-a-bake"], "trusted-dind": ["dev-a-image"], untrusted: ["dev-a-check"] },
      b: { trusted: ["dev-b-bake-lane-0", "dev-b-bake-lane-1"] },
    });
  });
});

describe("a scale set", () => {
  it("stands in its namespace, under its tenant, and runs the stack's image", async () => {
    const { inputsOf, registrationOf } = await runners({ a: tenantOf({ imagePullSecrets: ["pull"] }) });
    expect(registrationOf("kiln:runner:RunnerScaleSet dev-a-bake")?.parent).toBe("kiln:runner:RunnerTenant runners-a");
    expect(inputsOf(`${SET} dev-a-bake`)).toMatchObject({
      metadata: { name: "dev-a-bake", namespace: "runners-dev-a-trusted" },
      spec: {
        githubConfigUrl: "https://github.com/acme",
        githubConfigSecret: "github-credentials",
        maxRunners: 2,
        template: {
          spec: {
            imagePullSecrets: [{ name: "pull" }],
            nodeSelector: { "kubernetes.io/arch": "amd64" },
            containers: [{ name: "runner", image: IMAGE }],
          },
        },
      },
    });
  });

  it.each<[string, Readonly<Record<string, pulumi.Input<string>>>, string]>([
    ["the stack makes", { "kiln-dev-a-trusted": pulumi.output("made-by-github") }, "made-by-github"],
    ["is there", {}, "kiln-dev-a-trusted"],
  ])("registers in the group that %s", async (_, runnerGroups, group) => {
    const { inputsOf } = await runners({ a: tenantOf() }, {}, { runnerGroups });
    expect(inputsOf(`${SET} dev-a-bake`)).toMatchObject({ spec: { runnerGroup: group } });
  });

  it("registers in no group at a repository", async () => {
    const { inputsOf } = await runners({ a: tenantOf({ url: "https://github.com/acme/infra" }) });
    expect(inputsOf(`${SET} dev-a-bake`)?.spec).not.toHaveProperty("runnerGroup");
  });

  it("builds with its zone's buildkitd where it has no Docker, and nowhere else", async () => {
    const sets = { bake: { maxRunners: 1 }, image: { mode: "dind", maxRunners: 1 } };
    const untrusted = { sets: { check: { maxRunners: 1 } } };
    const trusted = { sets, buildkit: { size: "20Gi" } };
    const { inputsOf } = await runners({ a: tenantOf({ trusted, untrusted }) });
    const hosts = ["bake", "image", "check"].map((kind) => {
      const text = JSON.stringify(inputsOf(`${SET} dev-a-${kind}`));
      return /"BUILDKIT_HOST","value":"([^"]+)"|"value":"([^"]+)","name":"BUILDKIT_HOST"/.exec(text)?.[1];
    });
    expect(hosts).toEqual(["tcp://buildkitd.runners-dev-a-trusted-buildkit.svc:1234", undefined, undefined]);
  });
});

describe("the order", () => {
  const TWO = {
    a: tenantOf({ trusted: LANES, untrusted: { sets: { check: { maxRunners: 1 } } } }),
    b: tenantOf(),
  };

  it("has walls, credentials, volumes and the controller there before a scale set, and gone after it", async () => {
    const made = await runners(TWO);
    const before = beforehand(made, `${SET} dev-a-bake-lane-0`);
    const needed = [
      ...namespaceOf("runners-a-trusted").filter((name) => !/kiln:|DaemonSet/.test(name)),
      `${CLAIM} runners-a-trusted-cache-lane-0`,
      ...CONTROLLER.filter((name) => !name.startsWith("kiln:")),
      ...scaleSet("dev-a-bake-lane-0").slice(2),
    ];
    expect([...before]).toEqual(expect.arrayContaining(needed));
    expect(made.registrationOf(`${SET} dev-a-bake-lane-0`)?.dependsOn).toEqual(
      expect.arrayContaining([
        DEPLOYMENT,
        `${CORE}:Secret runners-a-trusted-github`,
        `${POLICY} runners-a-trusted-default-deny`,
      ]),
    );
  });

  it("has no set wait for the walls or volumes of another zone", async () => {
    const made = await runners(TWO);
    for (const [set, own] of [
      ["dev-a-bake-lane-0", "runners-a-trusted"],
      ["dev-a-check", "runners-a-untrusted"],
      ["dev-b-bake", "runners-b-trusted"],
    ] as const) {
      const others = [...beforehand(made, `${SET} ${set}`)].filter((name) => / runners-[ab]-/.test(name));
      expect(others.length).toBeGreaterThan(0);
      for (const name of others) expect(name).toMatch(new RegExp(` ${own}(-|$)`));
    }
  });

  it("has the controller wait for nothing where it watches every namespace", async () => {
    const made = await runners(TWO);
    const others = [...beforehand(made, DEPLOYMENT)].filter((name) => !CONTROLLER.includes(name));
    expect(others).toEqual([]);
  });

  it("has a controller of one namespace wait for that namespace, in which it has a role", async () => {
    const watchNamespace = "runners-dev-a-trusted";
    const made = await runners({ a: tenantOf() }, { controller: { watchNamespace } });
    const role = `${RBAC}:Role runners-controller-single-namespace-watch`;
    expect(made.inputsOf(role)).toMatchObject({ metadata: { namespace: watchNamespace } });
    for (const resource of [role, DEPLOYMENT]) {
      expect([...beforehand(made, resource)]).toEqual(
        expect.arrayContaining([`${CORE}:Namespace runners-a-trusted`, `${POLICY} runners-a-trusted-default-deny`]),
      );
    }
    expect([...beforehand(made, `${SET} dev-a-bake`)]).toContain(DEPLOYMENT);
  });

  it("never goes in a circle", async () => {
    const raw = {
      controller: { watchNamespace: "runners-dev-a-trusted" },
      cluster: { monitoring: "prometheus-operator" },
    };
    const made = await runners({ a: tenantOf({ trusted: LANES }) }, raw);
    for (const name of resourcesOf(made)) expect([...beforehand(made, name)]).not.toContain(name);
  });

  it("protects the controller where the stack says so, and nothing else", async () => {
    const made = await runners({ a: tenantOf() }, { controller: { protect: true } });
    const kept = made.registrations.filter(({ protect }) => protect).map(({ type, name }) => `${type} ${name}`);
    expect(kept.toSorted()).toEqual(CONTROLLER.toSorted());
  });

  it("leaves the CRDs behind where the stack says so", async () => {
    const made = await runners({ a: tenantOf() }, { controller: { retainCrds: true } });
    const left = made.registrations.filter(({ retainOnDelete }) => retainOnDelete);
    expect(left.map(({ type }) => type)).toEqual([CRD, CRD, CRD, CRD]);
  });

  it("takes over CRDs that the cluster has already, and is the only one to: all else is an error", async () => {
    const { registrations } = await runners({ a: tenantOf({ trusted: LANES }) });
    const made = Map.groupBy(
      registrations.filter(({ type }) => type.startsWith("kubernetes:")),
      ({ provider }) => provider,
    );
    expect([...made.keys()].toSorted()).toEqual(["runners", "runners-adopting"]);
    expect(made.get("runners-adopting")?.map(({ type }) => type)).toEqual([CRD, CRD, CRD, CRD]);
  });

  it("has two providers for the cluster that the stack names, of which one takes objects over", async () => {
    const { inputsOf } = await runners({ a: tenantOf() }, { cluster: { context: "prod" } });
    const inPlace = { context: "prod", enableSecretMutable: "true", enableConfigMapMutable: "true" };
    expect(inputsOf("pulumi:providers:kubernetes runners")).toEqual(inPlace);
    expect(inputsOf("pulumi:providers:kubernetes runners-adopting")).toEqual({
      ...inPlace,
      upsertExistingObjects: "true",
    });
  });
});

describe("what watches over runners", () => {
  const WATCH = ["kiln:runner:RunnerObservability runners-watch", `${CORE}:ConfigMap runners-watch-dashboard`];
  const MONITORED = { cluster: { monitoring: "prometheus-operator", monitorLabels: { release: "prom" } } };

  it("is nothing where nobody reads metrics", async () => {
    const { names } = await runners({ a: tenantOf() });
    expect(names.filter((name) => name.includes("runners-watch"))).toEqual([]);
  });

  it("is metrics, alerts and a dashboard in the controller's namespace, once that is there", async () => {
    const made = await runners({ a: tenantOf() }, MONITORED);
    const own = [
      ...WATCH,
      "kubernetes:monitoring.coreos.com/v1:PodMonitor runners-watch-metrics",
      "kubernetes:monitoring.coreos.com/v1:PrometheusRule runners-watch-alerts",
    ];
    expect(made.names.filter((name) => name.includes("runners-watch"))).toEqual(own.toSorted());
    for (const name of own.slice(1)) {
      expect(made.inputsOf(name)).toMatchObject({ metadata: { namespace: "arc-systems" } });
      expect([...beforehand(made, name)]).toContain(`${CORE}:Namespace runners-controller`);
    }
    expect(made.inputsOf(own[2] ?? "")).toMatchObject({ metadata: { labels: { release: "prom" } } });
    expect(JSON.stringify(made.inputsOf(own[3] ?? ""))).toContain("dev-a-bake");
  });

  it("is a job of the tenant that rebuilds the runner image, in its first namespace with its App", async () => {
    const rebuild = { repositoryUrl: "https://github.com/acme/infra", workflow: "runner-image.yml" };
    const spot = { sets: { bake: { maxRunners: 1, nodeSelector: { pool: "ci" }, tolerations: [{ key: "ci" }] } } };
    const tenants = { a: tenantOf(), b: tenantOf({ rebuild, trusted: spot, imagePullSecrets: ["pull"] }) };
    const { names, inputsOf, registrationOf } = await runners(tenants);
    const own = names.filter((name) => name.includes("freshness"));
    expect(own).toEqual(["kiln:runner:RunnerFreshness runners-b-freshness", `${CRON_JOB} runners-b-freshness`]);
    expect(registrationOf(`${CRON_JOB} runners-b-freshness`)?.dependsOn).toContain(
      `${CORE}:Secret runners-b-trusted-github`,
    );
    const job = inputsOf(`${CRON_JOB} runners-b-freshness`);
    expect(job).toMatchObject({ metadata: { name: "runner-freshness", namespace: "runners-dev-b-trusted" } });
    const text = JSON.stringify(job);
    for (const part of [
      IMAGE,
      "github-credentials",
      "runner-image.yml",
      '"pool":"ci"',
      '"key":"ci"',
      '"name":"pull"',
    ]) {
      expect(text).toContain(part);
    }
  });
});
