import * as kubernetes from "@pulumi/kubernetes";
import type { ProviderResource, ResourceOptions } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { CacheVolumesArgs } from "../../../components/cache-volumes.ts";
import { planCache } from "../../../runners/cache/plan.ts";
import type { CacheRequest } from "../../../runners/cache/request.ts";
import { recordResources, valueOf, type RecordedResource } from "../../support/mocks.ts";

const IMAGE = `ghcr.io/acme/infra/actions-runner@sha256:${"a".repeat(64)}`;
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";
const VOLUME = "kubernetes:core/v1:PersistentVolume";
const CRON_JOB = "kubernetes:batch/v1:CronJob";

const BASE = {
  name: "trusted",
  zone: "trusted",
  goVersion: "1.26.8",
  arch: "amd64",
  size: "100Gi",
  retention: "delete",
  protect: false,
} as const;

async function cacheVolumes(
  request: Omit<CacheRequest, keyof typeof BASE> & Partial<CacheRequest>,
  args: Partial<CacheVolumesArgs> = {},
  adopting?: () => ProviderResource,
) {
  const resources = await recordResources();
  const { CacheVolumes } = await import("../../../components/cache-volumes.ts");
  const plan = planCache({ ...BASE, ...request }, "kiln:cache");
  const options = new Map<string, ResourceOptions>();
  const volumes = new CacheVolumes(
    "cache",
    { namespace: "runners", plan, image: IMAGE, ...args, ...(adopting && { adoptWith: adopting() }) },
    {
      transformations: [
        ({ type, name, opts }) => {
          options.set(`${type} ${name}`, opts);
          return undefined;
        },
      ],
    },
  );
  const claims = await valueOf(volumes.claims);
  await valueOf(volumes.urn);
  await settled();
  return { claims, resources, options };
}

/** Registrations are made in turn; those of jobs come after their claims'. */
async function settled(): Promise<void> {
  const { runtime } = await import("@pulumi/pulumi");
  await runtime.disconnect();
}

const named = (resources: readonly RecordedResource[]) => resources.map(({ type, name }) => `${type} ${name}`).sort();

describe("lanes", () => {
  it("are a claim and a collector each", async () => {
    const { claims, resources } = await cacheVolumes({ mode: "lane", lanes: 2 });
    expect(named(resources)).toEqual([
      "kiln:runner:CacheVolumes cache",
      `${CRON_JOB} cache-lane-0-gc`,
      `${CRON_JOB} cache-lane-1-gc`,
      `${CLAIM} cache-lane-0`,
      `${CLAIM} cache-lane-1`,
    ]);
    expect(claims).toEqual(["trusted-lane-0", "trusted-lane-1"]);
  });

  it("are claimed under fixed names, and not waited for", async () => {
    const { resources } = await cacheVolumes({ mode: "lane", lanes: 1 });
    expect(resources.find(({ type }) => type === CLAIM)?.inputs).toMatchObject({
      metadata: {
        name: "trusted-lane-0",
        namespace: "runners",
        annotations: { "pulumi.com/skipAwait": "true" },
        labels: { "kiln.dev/go-version": "1.26.8", "kiln.dev/arch": "amd64", "kiln.dev/cache-part": "lane-0" },
      },
      spec: { accessModes: ["ReadWriteOncePod"], resources: { requests: { storage: "100Gi" } } },
    });
  });

  it("are collected as the runner's user, restricted, one job at a time, in the runner image", async () => {
    const { resources } = await cacheVolumes(
      { mode: "lane", lanes: 1 },
      {
        imagePullSecrets: ["registry"],
        tolerations: [{ key: "runners", operator: "Exists" }],
        nodeSelector: { pool: "runners", "kubernetes.io/arch": "arm64" },
      },
    );
    expect(resources.find(({ type }) => type === CRON_JOB)?.inputs).toMatchObject({
      metadata: { name: "trusted-lane-0-gc", namespace: "runners" },
      spec: {
        schedule: "17 3 * * *",
        concurrencyPolicy: "Forbid",
        jobTemplate: {
          spec: {
            backoffLimit: 0,
            template: {
              spec: {
                activeDeadlineSeconds: 900,
                restartPolicy: "Never",
                automountServiceAccountToken: false,
                securityContext: {
                  runAsNonRoot: true,
                  runAsUser: 1001,
                  runAsGroup: 1001,
                  fsGroup: 1001,
                  fsGroupChangePolicy: "OnRootMismatch",
                  seccompProfile: { type: "RuntimeDefault" },
                },
                // What the plan says comes first: it keeps the cache on its node and of its architecture.
                nodeSelector: { pool: "runners", "kubernetes.io/arch": "amd64" },
                tolerations: [{ key: "runners", operator: "Exists" }],
                imagePullSecrets: [{ name: "registry" }],
                containers: [
                  {
                    image: IMAGE,
                    command: expect.arrayContaining([
                      "/usr/local/lib/kiln/collect-garbage.mjs",
                      "--modules",
                    ]) as string[],
                    securityContext: {
                      allowPrivilegeEscalation: false,
                      readOnlyRootFilesystem: true,
                      capabilities: { drop: ["ALL"] },
                    },
                    volumeMounts: [{ name: "kiln-cache", mountPath: "/cache" }],
                  },
                ],
                volumes: [{ name: "kiln-cache", persistentVolumeClaim: { claimName: "trusted-lane-0" } }],
              },
            },
          },
        },
      },
    });
  });

  it("may do without collection", async () => {
    const { resources } = await cacheVolumes({ mode: "lane", lanes: 1, garbageCollection: false });
    expect(named(resources)).toEqual(["kiln:runner:CacheVolumes cache", `${CLAIM} cache-lane-0`]);
  });
});

describe("what becomes of volumes", () => {
  it.each([
    { retention: "retain", protect: true },
    { retention: "delete", protect: false },
  ] as const)("is as the plan says: %j", async ({ retention, protect }) => {
    const { options } = await cacheVolumes({ mode: "node", node: "n1", localPath: "/srv/cache", retention, protect });
    for (const type of [CLAIM, VOLUME]) {
      expect(options.get(`${type} cache-shared`)).toMatchObject({
        protect,
        retainOnDelete: retention === "retain",
      });
      // What mounts it has another name by then too: it goes last.
      expect(options.get(`${type} cache-shared`)).not.toHaveProperty("deleteBeforeReplace");
    }
    // A job keeps nothing.
    expect(options.get(`${CRON_JOB} cache-shared-gc`)).not.toHaveProperty("deleteBeforeReplace");
    expect(options.get(`${CRON_JOB} cache-shared-gc`)).not.toHaveProperty("protect");
    expect(options.get(`${CRON_JOB} cache-shared-gc`)).not.toHaveProperty("retainOnDelete");
  });

  it.each([
    { retention: "retain", adopted: [CLAIM, VOLUME] },
    { retention: "delete", adopted: [] },
  ] as const)("is taken over again where it was left: $retention", async ({ retention, adopted }) => {
    const request = { mode: "node", node: "n1", localPath: "/srv/cache", retention } as const;
    const { resources, options } = await cacheVolumes(request, {}, () => new kubernetes.Provider("adopting"));
    const names = resources.filter(({ type }) => type.startsWith("kubernetes:")).map(({ type, name }) => [type, name]);
    expect(names).toHaveLength(3);
    const by = names.filter(([type, name]) => options.get(`${type} ${name}`)?.provider !== undefined);
    expect(by.map(([type]) => type).toSorted()).toEqual(adopted.toSorted());
  });

  it("does not have the provider that adopts, nor its plan, among its inputs", async () => {
    const lane = { mode: "lane", lanes: 1 } as const;
    const { resources } = await cacheVolumes(lane, {}, () => new kubernetes.Provider("adopting"));
    expect(resources.find(({ type }) => type === "kiln:runner:CacheVolumes")?.inputs).toEqual({});
  });

  it("lets claims outlive the jobs that mount them, and volumes their claims", async () => {
    const { options } = await cacheVolumes({ mode: "node", node: "n1", localPath: "/srv/cache" });
    const before = (key: string) =>
      [options.get(key)?.dependsOn ?? []].flat().map((resource) => resource as unknown as { __pulumiType: string });
    expect(before(`${CRON_JOB} cache-shared-gc`)).toMatchObject([{ __pulumiType: CLAIM }]);
    expect(before(`${CLAIM} cache-shared`)).toMatchObject([{ __pulumiType: VOLUME }]);
  });
});

describe("a folder of a node", () => {
  it("is a volume for that claim alone, named by its namespace too", async () => {
    const { resources } = await cacheVolumes({ mode: "node", node: "n1", localPath: "/srv/cache" });
    expect(named(resources)).toEqual([
      "kiln:runner:CacheVolumes cache",
      `${CRON_JOB} cache-shared-gc`,
      `${VOLUME} cache-shared`,
      `${CLAIM} cache-shared`,
    ]);
    expect(resources.find(({ type }) => type === VOLUME)?.inputs).toMatchObject({
      metadata: { name: "runners-trusted-shared" },
      spec: {
        local: { path: "/srv/cache" },
        persistentVolumeReclaimPolicy: "Retain",
        claimRef: { kind: "PersistentVolumeClaim", namespace: "runners", name: "trusted-shared" },
      },
    });
  });
});

describe("modes that keep nothing", () => {
  it.each([
    { mode: "clone", snapshot: "golden" },
    { mode: "readonly", sourceClaim: "golden", buildCacheSize: "20Gi" },
    { mode: "none" },
  ] as const)("$mode make no resource", async (request) => {
    const { claims, resources } = await cacheVolumes(request);
    expect(named(resources)).toEqual(["kiln:runner:CacheVolumes cache"]);
    expect(claims).toEqual([]);
  });
});
