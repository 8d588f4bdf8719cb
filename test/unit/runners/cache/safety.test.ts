import fc from "fast-check";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { planCache, renderCache, type CachePlan } from "../../../../runners/cache/plan.ts";
import {
  ACCESS_MODES,
  CACHE_MODE_NAMES,
  type AccessMode,
  type CacheMode,
  type CacheRequest,
} from "../../../../runners/cache/request.ts";
import type { CheckedBasics } from "../../../../runners/cache/checked-cache.ts";
import { admits, conflictOf, podsOf, type Behaviour, type ModelNode } from "../../../support/scheduling-model.ts";

const NODES: readonly ModelNode[] = [
  { name: "n1", labels: { "kubernetes.io/hostname": "n1", "kubernetes.io/arch": "amd64" } },
  { name: "n2", labels: { "kubernetes.io/hostname": "n2", "kubernetes.io/arch": "amd64" } },
  { name: "n3", labels: { "kubernetes.io/hostname": "n3", "kubernetes.io/arch": "amd64" } },
  { name: "a1", labels: { "kubernetes.io/hostname": "a1", "kubernetes.io/arch": "arm64" } },
  { name: "a2", labels: { "kubernetes.io/hostname": "a2", "kubernetes.io/arch": "arm64" } },
];

/** What drivers are documented to do; of all others, and of a class that nobody looked at, it may be anything. */
const TRUTH: Readonly<Record<string, readonly Behaviour[]>> = {
  "ebs.csi.aws.com": ["attached"],
  "pd.csi.storage.gke.io": ["attached"],
  "rancher.io/local-path": NODES.map(({ name }) => ({ pinned: name })),
  "efs.csi.aws.com": ["anywhere"],
  "file.csi.azure.com": ["anywhere"],
  "nfs.csi.k8s.io": ["anywhere"],
  "cephfs.csi.ceph.com": ["anywhere"],
};
const ANYTHING: readonly Behaviour[] = ["attached", "anywhere", ...NODES.map(({ name }) => ({ pinned: name }))];
const CLASSES: Readonly<Record<string, readonly Behaviour[]>> = {
  azurefile: ["anywhere"],
  "standard-rwx": ["anywhere"],
  "local-path": TRUTH["rancher.io/local-path"] ?? [],
};

function behavioursOf({ provisioner, storageClass }: Pick<CacheRequest, "provisioner" | "storageClass">) {
  return TRUTH[provisioner ?? ""] ?? CLASSES[storageClass ?? ""] ?? ANYTHING;
}

function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined, freq: 2 });
}

const storage = {
  size: maybe(fc.constantFrom("100Gi", "1Ti", "20Gi")),
  storageClass: maybe(fc.constantFrom("fast", "azurefile", "standard-rwx", "local-path")),
  provisioner: maybe(fc.constantFrom(...Object.keys(TRUTH), "driver.example.com")),
  accessMode: maybe(fc.constantFrom(...ACCESS_MODES)),
};

/** Requests, right and wrong: each field that any mode knows is there or not. */
const anyRequest: fc.Arbitrary<CacheRequest> = fc.record({
  name: fc.constant("trusted"),
  zone: fc.constantFrom("trusted" as const, "untrusted" as const),
  mode: fc.constantFrom(...CACHE_MODE_NAMES),
  goVersion: fc.constant("1.26.8"),
  arch: fc.constantFrom("amd64" as const, "arm64" as const),
  ...storage,
  lanes: maybe(fc.integer({ min: 1, max: 3 })),
  maxRunners: maybe(fc.integer({ min: 1, max: 3 })),
  node: maybe(fc.constantFrom(...NODES.map(({ name }) => name))),
  localPath: maybe(fc.constant("/srv/cache")),
  snapshot: maybe(fc.constant("golden")),
  sourceClaim: maybe(fc.constant("golden")),
  moduleCache: maybe(fc.record({ ...storage, locking: maybe(fc.boolean()) })),
  buildCacheSize: maybe(fc.constantFrom("20Gi", "30Gi")),
  retention: fc.constant("delete" as const),
  protect: fc.constant(false),
  garbageCollection: fc.constantFrom(undefined, false as const, {}),
});

/** Requests of one mode without what it knows nothing of: of those the rules allow many. */
function requestsOf(mode: CacheMode): fc.Arbitrary<CacheRequest> {
  const copies = mode === "clone" || mode === "readonly";
  return anyRequest.map((one) => ({
    ...one,
    mode,
    ...(mode === "lane" ? {} : { lanes: undefined }),
    ...(mode === "lane" || mode === "node" ? {} : { localPath: undefined }),
    ...(copies ? {} : { snapshot: undefined, sourceClaim: undefined }),
    ...(mode === "split" ? {} : { moduleCache: undefined }),
    ...(copies || mode === "none" ? { garbageCollection: undefined } : {}),
  }));
}

interface Allowed {
  readonly request: CacheRequest;
  readonly plan: CachePlan;
  readonly behaviours: readonly Behaviour[];
}

/** What the rules allow, with all that the storage behind it may do. */
function allowedOf(one: CacheRequest): Allowed | undefined {
  try {
    const plan = planCache(one, "stacks/Pulumi.dev.yaml: kiln:cache");
    return { request: one, plan, behaviours: behavioursOf(one.mode === "split" ? (one.moduleCache ?? {}) : one) };
  } catch (error) {
    expect(error).toBeInstanceOf(KilnError);
    return undefined;
  }
}

const allowed: fc.Arbitrary<Allowed> = fc.oneof(
  ...CACHE_MODE_NAMES.map((mode) =>
    requestsOf(mode)
      .map(allowedOf)
      .filter((one) => one !== undefined),
  ),
);

function conflictsOf({ plan, behaviours }: Pick<Allowed, "plan" | "behaviours">): readonly string[] {
  return behaviours.flatMap((behaviour) => conflictOf(plan, behaviour, NODES) ?? []);
}

/** Allowed plans, the same in each run, with some of every mode. */
const SAMPLE = fc.sample(allowed, { numRuns: 1_500, seed: 20_261_121 });

describe("what the rules allow", () => {
  it("lets no two nodes write one build cache", () => {
    fc.assert(
      fc.property(allowed, (one) => {
        expect(conflictsOf(one)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps nothing in the untrusted zone that a job wrote", () => {
    fc.assert(
      fc.property(allowed, ({ plan }) => {
        fc.pre(plan.zone === "untrusted");
        for (const { writes } of podsOf(plan)) {
          for (const { volume } of writes) expect(volume).toContain("/");
        }
      }),
    );
  });

  it("has a node for every pod, and for as many runners at once as share a cache", () => {
    fc.assert(
      fc.property(allowed, ({ plan, behaviours, request: { node, arch } }) => {
        // A volume may stand where nobody asked for pods, and a node may be of another architecture.
        fc.pre(node === undefined || node.startsWith("a") === (arch === "arm64"));
        for (const behaviour of behaviours.filter((one) => typeof one === "string")) {
          for (const pod of podsOf(plan)) {
            expect(NODES.some((at) => admits(plan, behaviour, [], { pod, node: at }))).toBe(true);
          }
          const [first, second] = podsOf(plan);
          if (plan.mode === "lane" || first === undefined || second === undefined) continue;
          const together = NODES.some((one) =>
            NODES.some(
              (other) =>
                admits(plan, behaviour, [], { pod: first, node: one }) &&
                admits(plan, behaviour, [{ pod: first, node: one }], { pod: second, node: other }),
            ),
          );
          expect(together).toBe(true);
        }
      }),
    );
  });

  it("is met in every mode, with and without nodes, collection, known and unknown storage", () => {
    const modes = Map.groupBy(SAMPLE, ({ plan }) => plan.mode);
    for (const mode of CACHE_MODE_NAMES) expect(modes.get(mode)?.length ?? 0, mode).toBeGreaterThan(50);
    const some = (test: (one: Allowed) => boolean) => SAMPLE.filter(test).length;
    expect(some(({ plan }) => plan.collections.length > 0)).toBeGreaterThan(50);
    expect(some(({ plan, request: { node } }) => plan.mode === "lane" && node !== undefined)).toBeGreaterThan(20);
    expect(
      some(({ plan, request: { accessMode } }) => plan.mode === "lane" && accessMode === "ReadWriteOnce"),
    ).toBeGreaterThan(20);
    expect(some(({ plan }) => plan.claims.some(({ localVolume }) => localVolume !== undefined))).toBeGreaterThan(20);
    expect(some(({ behaviours }) => behaviours === ANYTHING)).toBeGreaterThan(50);
  });
});

/** A planner that does one thing wrong, and the mode in which that shows. */
const SABOTAGE: readonly (readonly [string, CacheMode, (plan: CachePlan) => CachePlan])[] = [
  ["lanes are claimed ReadWriteOnce whatever was asked for", "lane", (plan) => withAccess(plan, "ReadWriteOnce")],
  ["the collector runs anywhere", "node", (plan) => withoutNodes(plan, "collections")],
  ["runners run anywhere", "node", (plan) => withoutNodes(plan, "attachments")],
  [
    "all lanes have the first one's volume, on claims that many nodes may mount",
    "lane",
    (plan) => ({
      ...withAccess(plan, "ReadWriteMany"),
      attachments: plan.attachments.map((each) => ({ ...each, volumes: plan.attachments[0]?.volumes ?? [] })),
    }),
  ],
  [
    "the build cache stands beside the shared module cache",
    "split",
    (plan) => ({
      ...plan,
      attachments: plan.attachments.map((each) => ({
        ...each,
        mounts: each.mounts.map(({ mountPath }) => ({
          name: "kiln-modules",
          mountPath,
          subPath: path.basename(mountPath),
        })),
      })),
    }),
  ],
  [
    "runners work on the claim that was to be cloned",
    "clone",
    (plan) => ({
      ...plan,
      attachments: plan.attachments.map((each) => ({
        ...each,
        volumes: [{ name: "kiln-cache", persistentVolumeClaim: { claimName: "golden" } }],
      })),
    }),
  ],
  [
    "the golden volume is the build cache",
    "readonly",
    (plan) => ({
      ...plan,
      attachments: plan.attachments.map((each) => ({
        ...each,
        volumes: [{ name: "kiln-cache", persistentVolumeClaim: { claimName: "golden" } }],
      })),
    }),
  ],
];

function withoutNodes(plan: CachePlan, part: "attachments" | "collections"): CachePlan {
  const nodeSelector = { "kubernetes.io/arch": "amd64" };
  return { ...plan, [part]: plan[part].map((each) => ({ ...each, nodeSelector })) };
}

function withAccess(plan: CachePlan, accessMode: AccessMode): CachePlan {
  return { ...plan, claims: plan.claims.map((claim) => ({ ...claim, spec: { accessModes: [accessMode] } })) };
}

describe("the model catches a planner in which", () => {
  it.each(SABOTAGE)("%s", (_, mode, sabotage) => {
    const plans = SAMPLE.filter(({ plan }) => plan.mode === mode);
    const caught = plans.filter(({ plan, behaviours }) => conflictsOf({ plan: sabotage(plan), behaviours }).length > 0);
    expect(caught.length).toBeGreaterThan(0);
  });
});

describe("the model catches rules that would allow", () => {
  const basics: CheckedBasics = {
    name: "trusted",
    zone: "trusted",
    goVersion: "1.26.8",
    arch: "amd64",
    retention: "delete",
    protect: false,
    maxRunners: 2,
    node: undefined,
    warnings: [],
  };
  const volume = { size: "100Gi", storageClass: undefined };
  const rest = { localPath: undefined, collection: undefined };

  it.each<[string, Behaviour, CachePlan]>([
    [
      "mode node without a node",
      "anywhere",
      renderCache({ ...basics, ...rest, mode: "node", volume: { ...volume, accessMode: "ReadWriteOnce" } }),
    ],
    [
      "lanes on ReadWriteOnce that nothing attaches to one node",
      "anywhere",
      renderCache({ ...basics, ...rest, mode: "lane", lanes: 1, volume: { ...volume, accessMode: "ReadWriteOnce" } }),
    ],
    [
      "lanes on ReadWriteMany",
      "attached",
      renderCache({ ...basics, ...rest, mode: "lane", lanes: 1, volume: { ...volume, accessMode: "ReadWriteMany" } }),
    ],
  ])("%s", (_, behaviour, plan) => {
    expect(conflictOf(plan, behaviour, NODES)).toMatch(/^\S+ on n\d and \S+ on n\d write trusted-/);
  });
});
