import { CONTAINER_MODES, type ContainerMode } from "../runners/scale-set/container-mode.ts";
import { isImageReference } from "../registry/image-reference.ts";
import { givenFields } from "../runners/given-fields.ts";
import type { ContainerLimits } from "../runners/namespace/quota.ts";
import { limitsOf } from "./zone-limits.ts";
import { at, namespaceOf } from "./cluster.ts";
import { cacheOf, type CacheSettings } from "./zone-cache.ts";
import { networkOf, type NetworkSettings } from "./zone-network.ts";
import {
  choiceOf,
  countOf,
  flagOf,
  listOf,
  mapOf,
  refusal,
  requiredText,
  section,
  textOf,
  type Field,
} from "./field.ts";
import {
  nodeSelectorOf,
  objectNameOf,
  resourcesOf,
  scalarOf,
  storageClassOf,
  tolerationOf,
  volumeSizeOf,
  type Toleration,
} from "./kubernetes-values.ts";

export type { Toleration } from "./kubernetes-values.ts";

/** Runners that trust each other: one namespace a pod-security level, one runner group, one cache. */
export interface ZoneSettings {
  /** The key path. */
  readonly at: string;
  readonly trust: "trusted" | "untrusted";
  readonly namespace: string;
  /** Nothing where runners belong to a repository, which has no groups. */
  readonly runnerGroup: string | undefined;
  /** The reusable workflow that alone may use the trusted group: `org/repo/.github/workflows/x.yml@refs/heads/main`. */
  readonly workflow: string | undefined;
  readonly cache: CacheSettings | undefined;
  readonly sets: Readonly<Record<string, SetSettings>>;
  readonly network: NetworkSettings;
  /** Hard limits of each of the zone's namespaces, such as `limits.cpu`. */
  readonly quota: Readonly<Record<string, string>>;
  /** What containers get that say nothing themselves: a quota of limits asks for defaults. */
  readonly limits: ContainerLimits;
  /** A rootless buildkitd beside the runners; none where left out. */
  readonly buildkit: BuildKitSettings | undefined;
}

export interface BuildKitSettings {
  readonly image?: string;
  readonly size: string;
  readonly storageClass?: string;
}

/** One kind of runner in a zone. With lanes it becomes a scale set for each lane. */
export interface SetSettings {
  readonly at: string;
  readonly mode: ContainerMode;
  readonly minRunners: number;
  readonly maxRunners: number;
  /** Whether its runners mount the zone's cache. */
  readonly cache: boolean;
  readonly labels: readonly string[];
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** Tolerates the taints of spot nodes; a job there may be lost with its node. */
  readonly spot: boolean;
  readonly priorityClass: string | undefined;
  readonly runtimeClass: string | undefined;
  readonly workVolume: WorkVolume | undefined;
  /** Of mode dind: the daemon that runs as root on the node, best by digest; `docker:dind` where left out. */
  readonly dockerImage: string | undefined;
}

/** The volume that container mode `kubernetes` shares with its job pods. */
export interface WorkVolume {
  readonly storageClass: string | undefined;
  readonly size: string;
}

interface ZoneOf {
  readonly stack: string;
  readonly tenant: string;
  readonly trust: "trusted" | "untrusted";
  /** Whether runners can be grouped at all. */
  readonly grouped: boolean;
}

const ZONE = [
  "namespace",
  "runnerGroup",
  "workflow",
  "cache",
  "sets",
  "network",
  "quota",
  "limits",
  "buildkit",
] as const;
const SET = [
  "mode",
  "minRunners",
  "maxRunners",
  "cache",
  "labels",
  "requests",
  "limits",
  "nodeSelector",
  "tolerations",
  "spot",
  "priorityClass",
  "runtimeClass",
  "workVolume",
  "dockerImage",
] as const;

/** The names of tenants, zones' scale sets and the like: they become parts of Kubernetes names. */
export const NAME = {
  pattern: /^[a-z]([a-z0-9-]*[a-z0-9])?$/,
  mend: "Use lower-case letters, digits and dashes; the first is a letter",
} as const;

/** One trust zone of a tenant. Throws a usage error that names the key. */
export function zoneOf(field: Field, of: ZoneOf): ZoneSettings {
  const zone = section(field, ZONE);
  const name = `${of.stack}-${of.tenant}-${of.trust}`;
  const sets = mapOf(zone("sets"), setOf, NAME);
  if (Object.keys(sets).length === 0) {
    throw refusal(zone("sets"), "is not set", { mend: "Name at least one, such as bake: {maxRunners: 2}" });
  }
  return Object.freeze({
    at: at(field),
    trust: of.trust,
    namespace: namespaceOf(zone("namespace"), `runners-${name}`),
    runnerGroup: groupOf(zone("runnerGroup"), of, `kiln-${name}`),
    workflow: textOf(zone("workflow")),
    cache: cacheOf(zone("cache")),
    sets,
    network: networkOf(zone("network")),
    quota: mapOf(zone("quota"), scalarOf),
    limits: limitsOf(zone("limits")),
    buildkit: buildkitOf(zone("buildkit")),
  });
}

function groupOf(field: Field, { grouped }: ZoneOf, otherwise: string): string | undefined {
  const group = textOf(field);
  if (grouped) return group ?? otherwise;
  if (group === undefined) return undefined;
  throw refusal(field, "names a runner group, but runners of a repository are in none", {
    mend: "Remove it, or register with the organization: url: https://github.com/<organization>",
  });
}

function setOf(field: Field): SetSettings {
  const set = section(field, SET);
  const maxRunners = countOf(set("maxRunners"), 1);
  if (maxRunners === undefined) {
    throw refusal(set("maxRunners"), "is not set, and without it a burst of jobs starts runners without end", {
      mend: "Set it to the most runners that may run at once",
    });
  }
  const minRunners = countOf(set("minRunners")) ?? 0;
  if (minRunners > maxRunners) {
    throw refusal(set("minRunners"), `is ${minRunners}, more than maxRunners, which is ${maxRunners}`, {
      mend: `Set it to 0 to ${maxRunners}: it is the number of idle runners to keep`,
    });
  }
  return Object.freeze({
    at: at(field),
    mode: choiceOf(set("mode"), CONTAINER_MODES, "none"),
    minRunners,
    maxRunners,
    cache: flagOf(set("cache"), false),
    labels: listOf(set("labels"), (item) => requiredText(item, "Write a label")),
    ...resourcesOf(set("requests"), set("limits")),
    nodeSelector: nodeSelectorOf(set("nodeSelector")),
    tolerations: listOf(set("tolerations"), tolerationOf),
    spot: flagOf(set("spot"), false),
    priorityClass: objectNameOf(set("priorityClass")),
    runtimeClass: objectNameOf(set("runtimeClass")),
    workVolume: workVolumeOf(set("workVolume")),
    dockerImage: imageOf(set("dockerImage")),
  });
}

function imageOf(field: Field): string | undefined {
  const image = textOf(field);
  if (image === undefined || isImageReference(image)) return image;
  throw refusal(field, `is ${JSON.stringify(image)}, which is no image reference`, {
    mend: "Set it to an image such as docker.io/library/docker:29-dind",
  });
}

function buildkitOf(field: Field): BuildKitSettings | undefined {
  if (field.value === undefined) return undefined;
  const buildkit = section(field, ["image", "size", "storageClass"]);
  return Object.freeze({
    size: volumeSizeOf(buildkit("size"), "Set it to the size of its volume, such as 50Gi"),
    ...givenFields({ image: textOf(buildkit("image")), storageClass: storageClassOf(buildkit("storageClass")) }),
  });
}

function workVolumeOf(field: Field): WorkVolume | undefined {
  if (field.value === undefined) return undefined;
  const volume = section(field, ["storageClass", "size"]);
  return Object.freeze({
    storageClass: storageClassOf(volume("storageClass")),
    size: volumeSizeOf(volume("size"), "Set it to a size such as 20Gi"),
  });
}
