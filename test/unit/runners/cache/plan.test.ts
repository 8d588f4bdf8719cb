import { describe, expect, it } from "vitest";
import { planCache } from "../../../../runners/cache/plan.ts";
import type { CacheRequest } from "../../../../runners/cache/request.ts";

const BASE = {
  name: "trusted",
  zone: "trusted",
  goVersion: "1.26.8",
  arch: "amd64",
  retention: "retain",
  protect: true,
} as const;

function plan(request: Omit<CacheRequest, keyof typeof BASE>) {
  return planCache({ ...BASE, ...request }, "kiln:cache");
}

const MOUNTS = [
  { name: "kiln-cache", mountPath: "/var/cache/go-mod", subPath: "go-mod" },
  { name: "kiln-cache", mountPath: "/var/cache/go-build", subPath: "go1.26.8-linux-amd64" },
];
const ENV = [
  { name: "GOMODCACHE", value: "/var/cache/go-mod" },
  { name: "GOCACHE", value: "/var/cache/go-build" },
];
const AMD64 = { "kubernetes.io/arch": "amd64" };
const claimVolume = (claimName: string) => [{ name: "kiln-cache", persistentVolumeClaim: { claimName } }];
const labels = (part: string) => ({
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/component": "go-cache",
  "kiln.dev/cache": "trusted",
  "kiln.dev/cache-part": part,
  "kiln.dev/zone": "trusted",
  "kiln.dev/go-version": "1.26.8",
  "kiln.dev/arch": "amd64",
});

describe("lanes", () => {
  const lanes = plan({ mode: "lane", lanes: 2, size: "100Gi", storageClass: "fast" });

  it("have a claim each, which lets one pod in", () => {
    expect(lanes.claims).toEqual(
      ["lane-0", "lane-1"].map((part) => ({
        name: `trusted-${part}`,
        labels: labels(part),
        spec: {
          accessModes: ["ReadWriteOncePod"],
          storageClassName: "fast",
          resources: { requests: { storage: "100Gi" } },
        },
        localVolume: undefined,
      })),
    );
  });

  it("have one runner each, with both caches at the paths of their manifests", () => {
    expect(lanes.attachments).toEqual(
      ["lane-0", "lane-1"].map((key) => ({
        key,
        volumes: claimVolume(`trusted-${key}`),
        mounts: MOUNTS,
        initContainers: [],
        env: ENV,
        nodeSelector: AMD64,
        maxRunners: 1,
      })),
    );
  });

  it("are collected one by one, modules too: whoever has the volume has it alone", () => {
    expect(lanes.collections.map(({ name, claim }) => [name, claim])).toEqual([
      ["trusted-lane-0-gc", "trusted-lane-0"],
      ["trusted-lane-1-gc", "trusted-lane-1"],
    ]);
    expect(lanes.collections[0]).toEqual({
      name: "trusted-lane-0-gc",
      claim: "trusted-lane-0",
      labels: labels("lane-0"),
      schedule: "17 3 * * *",
      command: [
        "node",
        "/usr/local/lib/kiln/collect-garbage.mjs",
        ...["--root", "/cache", "--keep", "go1.26.8-linux-amd64"],
        ...["--budget", String(80 * 2 ** 30), "--minimum-age-hours", "6", "--modules"],
      ],
      volumes: claimVolume("trusted-lane-0"),
      mounts: [{ name: "kiln-cache", mountPath: "/cache" }],
      nodeSelector: AMD64,
      deadlineSeconds: 900,
    });
  });

  it("carry what becomes of them", () => {
    expect(lanes).toMatchObject({ retention: "retain", protect: true, cacheKey: "go1.26.8-linux-amd64", warnings: [] });
  });

  it("may be folders of one node, one below another", () => {
    const { claims, attachments } = plan({
      mode: "lane",
      lanes: 2,
      size: "100Gi",
      node: "n1",
      localPath: "/srv/cache",
    });
    expect(claims.map(({ localVolume }) => localVolume?.local?.path)).toEqual([
      "/srv/cache/lane-0",
      "/srv/cache/lane-1",
    ]);
    expect(claims[0]?.spec.storageClassName).toBe("");
    expect(claims[0]?.localVolume?.accessModes).toEqual(["ReadWriteOncePod"]);
    expect(attachments[0]?.nodeSelector).toEqual({ ...AMD64, "kubernetes.io/hostname": "n1" });
  });

  it("on ReadWriteOnce leave modules to those that may be reading them", () => {
    const { collections } = plan({ mode: "lane", lanes: 1, size: "9Gi", accessMode: "ReadWriteOnce", node: "n1" });
    expect(collections[0]?.command).not.toContain("--modules");
  });
});

describe("mode node", () => {
  const NODE = { ...AMD64, "kubernetes.io/hostname": "n1" };

  it("has one claim, and its runners and collector on the node", () => {
    const node = plan({
      mode: "node",
      node: "n1",
      size: "100Gi",
      maxRunners: 4,
      garbageCollection: { budget: "60Gi" },
    });
    expect(node.claims).toMatchObject([{ name: "trusted-shared", spec: { accessModes: ["ReadWriteOnce"] } }]);
    expect(node.attachments).toEqual([
      {
        key: "shared",
        volumes: claimVolume("trusted-shared"),
        mounts: MOUNTS,
        initContainers: [],
        env: ENV,
        nodeSelector: NODE,
        maxRunners: 4,
      },
    ]);
    expect(node.collections).toMatchObject([{ name: "trusted-shared-gc", nodeSelector: NODE }]);
    expect(node.collections[0]?.command).toEqual(expect.arrayContaining(["--budget", String(60 * 2 ** 30)]));
    expect(node.collections[0]?.command).not.toContain("--modules");
  });

  it("may have a folder of that node, which pods then follow", () => {
    const [claim] = plan({ mode: "node", node: "n1", size: "100Gi", localPath: "/srv/cache" }).claims;
    expect(claim?.spec).toEqual({
      accessModes: ["ReadWriteOnce"],
      storageClassName: "",
      resources: { requests: { storage: "100Gi" } },
    });
    expect(claim?.localVolume).toEqual({
      capacity: { storage: "100Gi" },
      accessModes: ["ReadWriteOnce"],
      volumeMode: "Filesystem",
      storageClassName: "",
      persistentVolumeReclaimPolicy: "Retain",
      local: { path: "/srv/cache" },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["n1"] }] },
          ],
        },
      },
    });
  });
});

describe("mode clone", () => {
  const dataSourceOf = (from: Pick<CacheRequest, "snapshot" | "sourceClaim">) =>
    plan({ mode: "clone", size: "100Gi", ...from }).attachments[0]?.volumes[0]?.ephemeral?.volumeClaimTemplate?.spec
      .dataSource;

  it("makes a volume for each pod, and nothing to keep or collect", () => {
    const clone = plan({ mode: "clone", size: "100Gi", storageClass: "fast", snapshot: "golden" });
    expect([clone.claims, clone.collections]).toEqual([[], []]);
    expect(clone.attachments).toMatchObject([{ key: "shared", mounts: MOUNTS, env: ENV, nodeSelector: AMD64 }]);
    expect(clone.attachments[0]?.volumes).toEqual([
      {
        name: "kiln-cache",
        ephemeral: {
          volumeClaimTemplate: {
            metadata: { labels: labels("clone") },
            spec: {
              accessModes: ["ReadWriteOnce"],
              storageClassName: "fast",
              dataSource: { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "golden" },
              resources: { requests: { storage: "100Gi" } },
            },
          },
        },
      },
    ]);
  });

  it("starts from a snapshot or a claim", () => {
    expect(dataSourceOf({ snapshot: "golden" })).toMatchObject({ kind: "VolumeSnapshot" });
    expect(dataSourceOf({ sourceClaim: "trusted-lane-0" })).toEqual({
      kind: "PersistentVolumeClaim",
      name: "trusted-lane-0",
    });
  });
});

describe("mode split", () => {
  const split = plan({ mode: "split", moduleCache: { size: "50Gi", storageClass: "nfs" }, buildCacheSize: "20Gi" });

  it("shares modules between nodes, and gives each pod a build cache that ends with it", () => {
    expect(split.claims).toMatchObject([{ name: "trusted-modules", spec: { accessModes: ["ReadWriteMany"] } }]);
    expect(split.attachments[0]).toMatchObject({
      volumes: [
        { name: "kiln-cache", emptyDir: { sizeLimit: "20Gi" } },
        { name: "kiln-modules", persistentVolumeClaim: { claimName: "trusted-modules" } },
      ],
      mounts: [
        { name: "kiln-modules", mountPath: "/var/cache/go-mod", subPath: "go-mod" },
        { name: "kiln-cache", mountPath: "/var/cache/go-build", subPath: "go1.26.8-linux-amd64" },
      ],
    });
  });

  it("collects what builds do not need: no module, since another node may be reading it", () => {
    expect(split.collections.map(({ command }) => command.includes("--modules"))).toEqual([false]);
  });
});

describe("mode readonly", () => {
  const golden = plan({ mode: "readonly", sourceClaim: "golden", buildCacheSize: "20Gi" });
  const GOLDEN = { name: "kiln-golden", mountPath: "/mnt/kiln-golden", readOnly: true };

  it("mounts the golden volume for reading alone, and copies the build cache for each pod", () => {
    expect(golden.claims).toEqual([]);
    expect(golden.attachments[0]?.volumes).toEqual([
      { name: "kiln-cache", emptyDir: { sizeLimit: "20Gi" } },
      { name: "kiln-golden", persistentVolumeClaim: { claimName: "golden", readOnly: true } },
    ]);
    expect(golden.attachments[0]?.mounts).toEqual([...MOUNTS, GOLDEN]);
    expect(golden.attachments[0]?.initContainers).toEqual([
      {
        name: "seed-cache",
        command: [
          ...["/bin/sh", "-uc", expect.stringContaining("cp -R") as string, "sh"],
          ...["/mnt/kiln-golden/go1.26.8-linux-amd64", "/var/cache/go-build"],
        ],
        volumeMounts: [...MOUNTS, GOLDEN],
      },
    ]);
  });

  it("takes modules from the golden volume as from a proxy, where go.sum is held against them", () => {
    expect(golden.attachments[0]?.env).toEqual([
      ...ENV,
      {
        name: "GOPROXY",
        value: "file:///mnt/kiln-golden/go-mod/cache/download,https://proxy.golang.org,direct",
      },
    ]);
    const own = plan({ mode: "readonly", sourceClaim: "golden", buildCacheSize: "20Gi", goProxy: "http://athens" });
    expect(own.attachments[0]?.env[2]?.value).toMatch(/,http:\/\/athens$/);
  });

  it("makes the golden volume of a snapshot, for many to read", () => {
    const { claims, attachments } = plan({ mode: "readonly", snapshot: "nightly", size: "9Gi", buildCacheSize: "9Gi" });
    expect(claims).toMatchObject([
      { name: "trusted-golden", spec: { accessModes: ["ReadOnlyMany"], dataSource: { name: "nightly" } } },
    ]);
    expect(attachments[0]?.volumes[1]?.persistentVolumeClaim).toEqual({ claimName: "trusted-golden", readOnly: true });
  });
});

it("mode none mounts nothing", () => {
  expect(plan({ mode: "none", maxRunners: 7 })).toMatchObject({
    claims: [],
    collections: [],
    attachments: [
      { key: "shared", volumes: [], mounts: [], initContainers: [], env: [], nodeSelector: AMD64, maxRunners: 7 },
    ],
  });
});

it("keys caches by Go version and architecture", () => {
  const arm = planCache(
    { ...BASE, goVersion: "1.27.0", arch: "arm64", mode: "lane", lanes: 1, size: "9Gi" },
    "kiln:cache",
  );
  expect(arm.attachments[0]?.mounts.map(({ subPath }) => subPath)).toEqual(["go-mod", "go1.27.0-linux-arm64"]);
  expect(arm.attachments[0]?.nodeSelector).toEqual({ "kubernetes.io/arch": "arm64" });
});
