import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { planCache } from "../../../../runners/cache/plan.ts";
import type { CacheMode, CacheRequest } from "../../../../runners/cache/request.ts";

const AT = "stacks/Pulumi.dev.yaml: kiln:tenants.acme.trusted.cache";

const BASE = {
  name: "dev-acme-trusted",
  zone: "trusted",
  goVersion: "1.26.8",
  arch: "amd64",
  retention: "delete",
  protect: false,
} as const;

/** A request of each mode that the rules allow. */
const SOUND: Readonly<Record<CacheMode, CacheRequest>> = {
  none: { ...BASE, mode: "none" },
  lane: { ...BASE, mode: "lane", lanes: 2, size: "100Gi" },
  node: { ...BASE, mode: "node", node: "runner-1", size: "100Gi" },
  clone: { ...BASE, mode: "clone", snapshot: "golden", size: "100Gi" },
  split: { ...BASE, mode: "split", moduleCache: { size: "50Gi" }, buildCacheSize: "20Gi" },
  readonly: { ...BASE, mode: "readonly", sourceClaim: "golden", buildCacheSize: "20Gi" },
};

function refusalOf(request: CacheRequest): KilnError {
  try {
    planCache(request, AT);
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
  throw new Error("the request was allowed");
}

it.each(Object.entries(SOUND))("allows a plain request of mode %s", (mode, request) => {
  expect(planCache(request, AT).mode).toBe(mode);
});

describe("a cache is refused that", () => {
  it.each<[string, CacheMode, Partial<CacheRequest>, string, string, string]>([
    // what corrupts
    [
      "many nodes mount",
      "lane",
      { accessMode: "ReadWriteMany" },
      "accessMode",
      "is ReadWriteMany, under which several nodes have one build cache; Go's documentation calls",
      "Mode split shares modules",
    ],
    ["many nodes mount", "node", { accessMode: "ReadOnlyMany" }, "accessMode", "is ReadOnlyMany", "Leave it out"],
    ["many nodes mount", "clone", { accessMode: "ReadWriteMany" }, "accessMode", "is ReadWriteMany", "Leave it out"],
    [
      "stands on EFS",
      "lane",
      { provisioner: "efs.csi.aws.com", storageClass: "shared" },
      "storageClass",
      'is "shared", which makes network file systems (efs.csi.aws.com)',
      "block volumes or local disks",
    ],
    [
      "stands on the default class's NFS",
      "node",
      { provisioner: "nfs.csi.k8s.io" },
      "storageClass",
      "is not set, and the cluster's default class makes network file systems (nfs.csi.k8s.io)",
      "block volumes",
    ],
    [
      "stands on a class known by its name",
      "lane",
      { storageClass: "azurefile-csi-premium" },
      "storageClass",
      'is "azurefile-csi-premium", which makes network file systems; Go\'s',
      "block volumes",
    ],
    [
      "stands on Filestore",
      "clone",
      { storageClass: "standard-rwx" },
      "storageClass",
      "network file systems",
      "block volumes",
    ],
    [
      "stands on CephFS",
      "lane",
      { provisioner: "rook-ceph.cephfs.csi.ceph.com" },
      "storageClass",
      "network file systems",
      "block volumes",
    ],
    [
      "stands on SMB",
      "lane",
      { provisioner: "smb.csi.k8s.io" },
      "storageClass",
      "network file systems",
      "block volumes",
    ],
    [
      "is ReadWriteOnce on unknown storage",
      "lane",
      { accessMode: "ReadWriteOnce" },
      "accessMode",
      "is ReadWriteOnce on storage of which nothing is known",
      "ReadWriteOncePod",
    ],
    [
      "keeps modules where locks do not hold",
      "split",
      { moduleCache: { size: "50Gi", provisioner: "smb.csi.k8s.io" } },
      "moduleCache.storageClass",
      "whose locks do not hold between nodes (smb.csi.k8s.io)",
      "not SMB",
    ],
    [
      "keeps modules on SMB until told otherwise",
      "split",
      { moduleCache: { size: "50Gi", storageClass: "azurefile" } },
      "moduleCache.storageClass",
      "locks do not hold",
      "set moduleCache.locking to true",
    ],
    [
      "keeps modules in a bucket",
      "split",
      { moduleCache: { size: "50Gi", provisioner: "s3.csi.aws.com" } },
      "moduleCache.storageClass",
      "locks do not hold",
      "not object storage",
    ],
    // what waits for ever
    [
      "has no node",
      "node",
      { node: undefined },
      "node",
      "is not set: nothing would keep runners on the node",
      "or set mode to lane",
    ],
    [
      "lets one pod in, and has several runners",
      "node",
      { accessMode: "ReadWriteOncePod" },
      "accessMode",
      "the second runner would wait for ever",
      "mode to lane",
    ],
    [
      "is ReadWriteOnce with runners anywhere",
      "split",
      { moduleCache: { size: "50Gi", accessMode: "ReadWriteOnce" } },
      "moduleCache.accessMode",
      "nothing keeps the runners on the node",
      "mode node",
    ],
    [
      "lets one pod at modules",
      "split",
      { moduleCache: { size: "50Gi", accessMode: "ReadWriteOncePod" } },
      "moduleCache.accessMode",
      "lets one pod in",
      "ReadWriteMany",
    ],
    [
      "lets nobody write modules",
      "split",
      { moduleCache: { size: "50Gi", accessMode: "ReadOnlyMany" } },
      "moduleCache.accessMode",
      "every runner adds modules",
      "ReadWriteMany",
    ],
    [
      "shares a disk of one node",
      "split",
      { moduleCache: { size: "50Gi", provisioner: "ebs.csi.aws.com" } },
      "moduleCache.storageClass",
      "makes volumes of one node (ebs.csi.aws.com)",
      "or mode lane",
    ],
    [
      "is read by one pod",
      "readonly",
      { accessMode: "ReadWriteOncePod" },
      "accessMode",
      "the second reader would wait for ever",
      "ReadOnlyMany",
    ],
    [
      "is read on one node by readers anywhere",
      "readonly",
      { accessMode: "ReadWriteOnce" },
      "accessMode",
      "nothing keeps the readers on the node",
      "set node",
    ],
    [
      "has nothing to clone",
      "clone",
      { snapshot: undefined },
      "snapshot",
      "is not set, nor is sourceClaim",
      "Name a VolumeSnapshot",
    ],
    [
      "has nothing to read",
      "readonly",
      { sourceClaim: undefined },
      "snapshot",
      "is not set, nor is sourceClaim",
      "Name a VolumeSnapshot",
    ],
    ["clones two things", "clone", { sourceClaim: "other" }, "sourceClaim", "is set beside snapshot", "Remove one"],
    [
      "clones with a driver that cannot",
      "clone",
      { provisioner: "rancher.io/local-path" },
      "storageClass",
      "makes no volumes from others (rancher.io/local-path)",
      "clones volumes",
    ],
    [
      "clones what has no name",
      "clone",
      { snapshot: "Golden Copy" },
      "snapshot",
      'is "Golden Copy", which is no name',
      "lower-case",
    ],
    // what poisons
    [
      "keeps what pull requests write",
      "lane",
      { zone: "untrusted" },
      "mode",
      "is lane in the untrusted zone: a pull request could leave there what later jobs build with",
      "clone, readonly or none",
    ],
    [
      "keeps what pull requests write",
      "node",
      { zone: "untrusted" },
      "mode",
      "is node in the untrusted zone",
      "clone, readonly or none",
    ],
    [
      "keeps what pull requests write",
      "split",
      { zone: "untrusted" },
      "mode",
      "is split in the untrusted zone",
      "clone, readonly or none",
    ],
    // what says nothing, or the wrong thing
    ["has no lanes", "lane", { lanes: undefined }, "lanes", "is not set", "how many runners"],
    ["has 0 lanes", "lane", { lanes: 0 }, "lanes", "is 0, which is no number of lanes", "from 1 to 256"],
    ["has half a lane", "lane", { lanes: 1.5 }, "lanes", "is 1.5", "from 1 to 256"],
    ["has more lanes than a matrix has jobs", "lane", { lanes: 257 }, "lanes", "is 257", "from 1 to 256"],
    [
      "has other runners than lanes",
      "lane",
      { maxRunners: 5 },
      "maxRunners",
      "is 5, but there are 2 lanes of one runner each",
      "set lanes to the same number",
    ],
    ["has a negative number of runners", "node", { maxRunners: -1 }, "maxRunners", "is -1", "from 0 on"],
    ["has no size", "lane", { size: undefined }, "size", "is not set", "such as 100Gi"],
    [
      "has a size that is none",
      "lane",
      { size: "100 GB" },
      "size",
      'is "100 GB", which is no Kubernetes quantity',
      "such as 100Gi",
    ],
    ["has a size of nothing", "node", { size: "0Gi" }, "size", 'is "0Gi"', "such as 100Gi"],
    [
      "has a module cache without size",
      "split",
      { moduleCache: {} },
      "moduleCache.size",
      "is not set",
      "such as 100Gi",
    ],
    ["has no module cache to share", "split", { moduleCache: undefined }, "moduleCache", "is not set", "which class"],
    [
      "has no size of build caches",
      "split",
      { buildCacheSize: undefined },
      "buildCacheSize",
      "is not set",
      "such as 100Gi",
    ],
    ["has no size of copies", "readonly", { buildCacheSize: "much" }, "buildCacheSize", 'is "much"', "such as 100Gi"],
    [
      "makes a golden volume of no size",
      "readonly",
      { sourceClaim: undefined, snapshot: "golden" },
      "size",
      "is not set",
      "such as 100Gi",
    ],
    [
      "is collected down to more than it holds",
      "lane",
      { garbageCollection: { budget: "200Gi" } },
      "garbageCollection.budget",
      "is 200Gi, which a volume of 100Gi never exceeds",
      "such as 80Gi",
    ],
    [
      "is collected down to all that it holds",
      "lane",
      { garbageCollection: { budget: "100Gi" } },
      "garbageCollection.budget",
      "is 100Gi",
      "such as 80Gi",
    ],
    [
      "is collected down to nonsense",
      "node",
      { garbageCollection: { budget: "80%" } },
      "garbageCollection.budget",
      'is "80%", which is no Kubernetes quantity',
      "such as 80Gi",
    ],
    [
      "is collected under a build",
      "node",
      { garbageCollection: { minimumAgeHours: 1 } },
      "garbageCollection.minimumAgeHours",
      "is 1: entries that a build has just looked up could go (golang/go#31948)",
      "at least 3",
    ],
    [
      "is collected at no time",
      "lane",
      { garbageCollection: { schedule: "nightly" } },
      "garbageCollection.schedule",
      'is "nightly", which is no cron expression',
      "five fields",
    ],
    [
      "is collected at six fields",
      "lane",
      { garbageCollection: { schedule: "0 17 3 * * *" } },
      "garbageCollection.schedule",
      "no cron expression",
      "five fields",
    ],
    [
      "collects clones",
      "clone",
      { garbageCollection: {} },
      "garbageCollection",
      "is set, but mode clone knows no such thing",
      "lane or node or split",
    ],
    [
      "has lanes of a node",
      "node",
      { lanes: 2 },
      "lanes",
      "is set, but mode node knows no such thing",
      "set mode to lane",
    ],
    [
      "starts lanes from a snapshot",
      "lane",
      { snapshot: "golden" },
      "snapshot",
      "is set, but mode lane knows no such thing",
      "clone or readonly",
    ],
    ["has a name that is none", "none", { name: "Trusted_1" }, "name", 'is "Trusted_1"', "at most 40"],
    [
      "has a name too long for CronJobs",
      "none",
      { name: "a".repeat(41) },
      "name",
      "cannot begin the names of claims and jobs",
      "at most 40",
    ],
    [
      "is keyed by half a Go version",
      "lane",
      { goVersion: "1.26" },
      "goVersion",
      'is "1.26", which is no Go version to the patch level',
      "1.26.8",
    ],
    ["is on no node's name", "node", { node: "a b" }, "node", 'is "a b"', "kubectl get nodes"],
    ["is a folder of no node", "lane", { localPath: "/srv/cache" }, "localPath", "is set without a node", "Set node"],
    [
      "is a folder and a class",
      "node",
      { localPath: "/srv/cache", storageClass: "fast" },
      "storageClass",
      "is set beside localPath",
      "Remove one",
    ],
    [
      "is a folder somewhere",
      "node",
      { localPath: "srv/../cache" },
      "localPath",
      "no absolute path",
      "/var/lib/kiln/cache",
    ],
    [
      "climbs out of its folder",
      "node",
      { localPath: "/srv/../etc" },
      "localPath",
      "no absolute path",
      "/var/lib/kiln/cache",
    ],
  ])("%s (mode %s, %j)", (_, mode, change, key, problem, mend) => {
    const error = refusalOf({ ...SOUND[mode], ...change });
    expect(error.kind).toBe("usage");
    expect(error.message.startsWith(`${AT}.${key} `)).toBe(true);
    expect(error.message).toContain(problem);
    expect(error.mend).toContain(mend);
  });
});

describe("a cache is allowed that", () => {
  it.each<[string, CacheMode, Partial<CacheRequest>]>([
    [
      "is ReadWriteOnce on a disk that is attached",
      "lane",
      { accessMode: "ReadWriteOnce", provisioner: "ebs.csi.aws.com" },
    ],
    ["is ReadWriteOnce on a local disk", "lane", { accessMode: "ReadWriteOnce", provisioner: "topolvm.io" }],
    ["is ReadWriteOnce on one node", "lane", { accessMode: "ReadWriteOnce", node: "runner-1" }],
    ["has as many runners as lanes", "lane", { maxRunners: 2 }],
    ["has lanes for its runners", "lane", { lanes: undefined, maxRunners: 3 }],
    ["is for pull requests, and discarded", "clone", { zone: "untrusted" }],
    ["is for pull requests, and only read", "readonly", { zone: "untrusted" }],
    ["is for pull requests, and nothing", "none", { zone: "untrusted" }],
    [
      "reads a file system of the network, since it copies it",
      "readonly",
      { accessMode: "ReadWriteMany", provisioner: "efs.csi.aws.com" },
    ],
    [
      "keeps modules on Azure Files by NFS",
      "split",
      { moduleCache: { size: "50Gi", storageClass: "azurefile", locking: true } },
    ],
    [
      "keeps modules on one node",
      "split",
      { moduleCache: { size: "50Gi", accessMode: "ReadWriteOnce" }, node: "runner-1" },
    ],
    ["is collected weekly", "lane", { garbageCollection: { schedule: "@weekly" } }],
    ["is collected on working days", "lane", { garbageCollection: { schedule: "*/30 2-4 * * MON-FRI" } }],
    ["is not collected", "lane", { garbageCollection: false }],
    ["is keyed by a release candidate", "lane", { goVersion: "1.27rc1" }],
  ])("%s (mode %s)", (_, mode, change) => {
    expect(planCache({ ...SOUND[mode], ...change }, AT).mode).toBe(mode);
  });
});

describe("a preview says", () => {
  it("what nobody knows of a shared file system, and who must own it", () => {
    expect(planCache(SOUND.split, AT).warnings).toEqual([
      expect.stringContaining("file locks hold between nodes"),
      expect.stringContaining("uid and gid 1001"),
    ]);
    const known = { ...SOUND.split, moduleCache: { size: "50Gi", provisioner: "efs.csi.aws.com" } };
    expect(planCache(known, AT).warnings).toEqual([expect.stringContaining("uid and gid 1001")]);
  });

  it("that a budget leaves too little room to warm in", () => {
    expect(planCache({ ...SOUND.lane, size: "40Gi" }, AT).warnings).toEqual([
      expect.stringContaining("leaves 8 GiB of 40Gi free, and `kiln cache warm` wants 10 GiB"),
    ]);
    expect(planCache(SOUND.lane, AT).warnings).toEqual([]);
    expect(planCache({ ...SOUND.lane, size: "40Gi", garbageCollection: false }, AT).warnings).toEqual([]);
  });
});
