import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { CONTAINER_MODES, runsJobsInPods } from "../../../../runners/scale-set/container-mode.ts";
import { podTemplate } from "../../../../runners/scale-set/pod-template.ts";
import { requireScaleSet } from "../../../../runners/scale-set/checks.ts";
import { plannedScaleSet } from "../../../../runners/tenant/scale-set.ts";
import type { NamespacePlan, ScaleSetPlan, TenantPlan } from "../../../../runners/tenant/plan.ts";
import type { TenantSettings } from "../../../../settings/tenants.ts";
import { plansOf, runnersOf, tenantOf, type Raw } from "../../../support/runner-settings.ts";

const CONTEXT = {
  controller: { namespace: "arc-systems", serviceAccount: "arc-controller", version: "0.14.2" },
  arch: "amd64",
} as const;

const SELECTORS: readonly Raw[] = [{}, { pool: "ci" }, { pool: "ci", disk: "ssd" }, { pool: "big" }];
const TOLERATIONS = [{ key: "ci" }, { key: "ci", value: "only", effect: "NoSchedule" }] as const;

/** Caches as a stack file has them; a lane is added for each runner that uses it. */
const CACHES: readonly Raw[] = [
  { mode: "lane", size: "50Gi" },
  { mode: "node", node: "big", size: "50Gi" },
  { mode: "clone", snapshot: "golden", size: "50Gi" },
  { mode: "readonly", sourceClaim: "golden", buildCacheSize: "20Gi" },
  { mode: "split", moduleCache: { storageClass: "nfs", size: "50Gi" }, buildCacheSize: "20Gi" },
  { mode: "none" },
];

/** One kind of runner, which mounts a cache where its mode lets it. */
const anySet = fc
  .record({
    mode: fc.constantFrom(...CONTAINER_MODES),
    minRunners: fc.nat(4),
    more: fc.integer({ min: 1, max: 4 }),
    cache: fc.boolean(),
    nodeSelector: fc.constantFrom(...SELECTORS),
    tolerations: fc.subarray([...TOLERATIONS]),
    spot: fc.boolean(),
  })
  .map(({ minRunners, more, ...set }) => ({
    ...set,
    ...{ minRunners, maxRunners: minRunners + more },
    cache: set.cache && !runsJobsInPods(set.mode),
    ...(set.mode === "kubernetes" ? { workVolume: { size: "20Gi" } } : {}),
  }));

/** A zone of kinds with these names. Caches that no kind mounts, and kinds that mount none, are among them. */
function zoneOf(kinds: readonly string[]): fc.Arbitrary<Raw> {
  const sets = fc.dictionary(fc.constantFrom(...kinds), anySet, { minKeys: 1, maxKeys: 4, noNullPrototype: true });
  return fc.tuple(sets, fc.constantFrom(undefined, ...CACHES), fc.boolean()).map(([all, cache, buildkit]) => {
    const users = Object.values(all).filter((set) => set.cache);
    const lanes = users.reduce((sum, { maxRunners }) => sum + maxRunners, 0);
    return {
      sets: all,
      network: { apiServer: ["10.0.0.1/32"] },
      ...(cache === undefined
        ? {}
        : { cache: cache.mode === "lane" ? { ...cache, lanes: Math.max(1, lanes) } : cache }),
      ...(buildkit ? { buildkit: { size: "20Gi" } } : {}),
    };
  });
}

interface Planned {
  readonly tenant: TenantSettings;
  readonly plan: TenantPlan;
}

/** The plan of a tenant with these zones; undefined where it is refused, which only a usage error may do. */
function planned(zones: Raw): Planned | undefined {
  const runners = runnersOf({ platform: tenantOf(zones) });
  const { platform: tenant } = runners.tenants;
  try {
    const { platform: plan } = plansOf(runners);
    return tenant === undefined || plan === undefined ? undefined : { tenant, plan };
  } catch (error) {
    expect(error).toSatisfy((thrown) => thrown instanceof KilnError && thrown.kind === "usage");
    return undefined;
  }
}

const zones = fc.record({
  trusted: zoneOf(["bake", "test", "bake-lane-0", "assemble", "pods"]),
  untrusted: fc.option(zoneOf(["check", "lint", "bake"]), { nil: undefined, freq: 2 }),
});

const allowed = zones.map(planned).filter((one) => one !== undefined);

function setsOf({ plan }: Planned): readonly (readonly [NamespacePlan, ScaleSetPlan])[] {
  return plan.namespaces.flatMap((namespace) => namespace.sets.map((set) => [namespace, set] as const));
}

/** A planned set as its component gets it, as far as plain values go. */
function requestOf({ tenant }: Planned, { name }: NamespacePlan, set: ScaleSetPlan) {
  const image = `localhost:5180/actions-runner@sha256:${"a".repeat(64)}`;
  return { ...plannedScaleSet(tenant, set, CONTEXT), namespace: name, secretName: "github-credentials", image };
}

function claimsOf({ attachment }: ScaleSetPlan): readonly string[] {
  return (attachment?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim === undefined ? [] : [claim.claimName],
  );
}

/** Runs a property over plans that are allowed. */
function ofPlans(check: (one: Planned) => void): void {
  fc.assert(fc.property(allowed, check), { numRuns: 300 });
}

describe("what is planned", () => {
  it("has names that fit, and no name twice", () => {
    ofPlans((one) => {
      const names = setsOf(one).map(([, { name }]) => name);
      const namespaces = one.plan.namespaces.map(({ name }) => name);
      for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?$/);
      for (const name of namespaces) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
      expect(new Set(names).size).toBe(names.length);
      expect(new Set(namespaces).size).toBe(namespaces.length);
      expect(new Set(one.plan.namespaces.map(({ key }) => key)).size).toBe(namespaces.length);
    });
  });

  it("has every kind of runner in one namespace of its own zone, with all of its runners and no more", () => {
    ofPlans((one) => {
      for (const zone of [one.tenant.trusted, one.tenant.untrusted]) {
        for (const kind of Object.values(zone?.sets ?? {})) {
          const own = setsOf(one).filter(([, { settings }]) => settings === kind);
          expect(new Set(own.map(([{ name }]) => name)).size).toBe(1);
          expect(new Set(own.map(([namespace]) => namespace.zone))).toEqual(new Set([zone]));
          expect(own.reduce((sum, [, { maxRunners }]) => sum + maxRunners, 0)).toBe(kind.maxRunners);
          expect(own.reduce((sum, [, { minRunners }]) => sum + minRunners, 0)).toBe(kind.minRunners);
          for (const [, { minRunners, maxRunners }] of own) expect(minRunners).toBeLessThanOrEqual(maxRunners);
        }
      }
      const kinds = [one.tenant.trusted, one.tenant.untrusted].flatMap((zone) => Object.values(zone?.sets ?? {}));
      expect(new Set(setsOf(one).map(([, { settings }]) => settings)).size).toBe(kinds.length);
    });
  });

  it("gives each lane a claim of its own, which one runner of one set mounts", () => {
    ofPlans((one) => {
      for (const { cache, sets } of one.plan.namespaces) {
        if (cache?.mode !== "lane") continue;
        const mounting = sets.filter((set) => claimsOf(set).length > 0);
        expect(mounting.flatMap(claimsOf).toSorted()).toEqual(cache.claims.map(({ name }) => name).toSorted());
        for (const { maxRunners } of mounting) expect(maxRunners).toBe(1);
      }
    });
  });

  it("lets no pod mount a claim of another namespace, nor more runners on a cache than it serves", () => {
    ofPlans((one) => {
      for (const { cache, sets, zone } of one.plan.namespaces) {
        const known = new Set([...(cache?.claims ?? []).map(({ name }) => name), zone.cache?.sourceClaim]);
        for (const set of sets) for (const claim of claimsOf(set)) expect(known).toContain(claim);
        for (const { key, maxRunners } of cache?.attachments ?? []) {
          const runners = sets.filter(({ attachment }) => attachment?.key === key);
          const most = runners.reduce((sum, set) => sum + set.maxRunners, 0);
          if (maxRunners !== undefined) expect(most).toBeLessThanOrEqual(maxRunners);
        }
      }
    });
  });

  it("is what a scale set's own checks allow, in a namespace that admits its pods", () => {
    ofPlans((one) => {
      for (const [namespace, set] of setsOf(one)) {
        const request = requestOf(one, namespace, set);
        requireScaleSet(request, set.settings.at);
        expect(levelOf(podTemplate(request).spec)).toBe(namespace.podSecurity);
      }
    });
  });

  it("names nodes that every pod of the namespace may use, by all that their pods have in common", () => {
    ofPlans((one) => {
      for (const namespace of one.plan.namespaces) {
        const pods = namespace.sets.map((set) => podTemplate(requestOf(one, namespace, set)).spec);
        const [first = {}, ...others] = pods.map(({ nodeSelector = {} }) => nodeSelector);
        const common = Object.entries(first).filter(([label, value]) => others.every((own) => own[label] === value));
        expect(namespace.nodes.nodeSelector).toEqual(Object.fromEntries(common));
        const tolerated = new Set(
          pods.flatMap(({ tolerations = [] }) => tolerations.map((each) => JSON.stringify(each))),
        );
        expect(new Set(namespace.nodes.tolerations.map((each) => JSON.stringify(each)))).toEqual(tolerated);
      }
    });
  });
});

describe("a plan", () => {
  it("moves nothing when a kind of runner comes that uses no cache", () => {
    fc.assert(
      fc.property(zones, anySet, ({ trusted, untrusted }, another) => {
        const sets = { ...(trusted.sets as Raw), newcomer: { ...another, cache: false } };
        const [before, after] = [
          planned({ trusted, untrusted }),
          planned({ trusted: { ...trusted, sets }, untrusted }),
        ];
        fc.pre(before !== undefined && after !== undefined);
        expect(placesOf(after)).toEqual(expect.arrayContaining([...placesOf(before)]));
      }),
    );
  });

  it("refuses a name that is too long, and no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (length) => {
        const kind = "k".repeat(length);
        const plan = planned({ trusted: { sets: { [kind]: { maxRunners: 1 } } } });
        expect(plan === undefined).toBe(`dev-platform-${kind}`.length > 45);
      }),
    );
  });

  it("of the generator above is one of every cache and mode", () => {
    const sample = fc.sample(allowed, { numRuns: 1_000, seed: 20_261_121 });
    const namespaces = sample.flatMap(({ plan }) => plan.namespaces);
    expect(new Set(namespaces.map(({ cache }) => cache?.mode))).toEqual(
      new Set([undefined, "none", "lane", "node", "clone", "split", "readonly"]),
    );
    expect(new Set(namespaces.flatMap(({ sets }) => sets.map(({ settings }) => settings.mode)))).toEqual(
      new Set(CONTAINER_MODES),
    );
    expect(new Set(namespaces.map(({ zone }) => zone.trust))).toEqual(new Set(["trusted", "untrusted"]));
  });
});

function placesOf(one: Planned): readonly string[] {
  return setsOf(one).map(([namespace, { name, maxRunners }]) => `${namespace.name}/${name} ${maxRunners}`);
}

/** The strictest pod security standard that admits a pod, by those of its rules that kiln's pods could break. */
function levelOf(pod: ReturnType<typeof podTemplate>["spec"]): NamespacePlan["podSecurity"] {
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  const privileged = containers.some(({ securityContext }) => securityContext?.privileged === true);
  if (privileged || pod.volumes?.some(({ hostPath }) => hostPath !== undefined) === true) return "privileged";
  const restricted =
    pod.securityContext?.runAsNonRoot === true &&
    pod.securityContext.seccompProfile?.type === "RuntimeDefault" &&
    containers.every(
      ({ securityContext: own }) =>
        own?.allowPrivilegeEscalation === false && own.capabilities?.drop?.includes("ALL") === true,
    );
  return restricted ? "restricted" : "baseline";
}
