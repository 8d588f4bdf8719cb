import type { V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { CachePlan } from "../../runners/cache/plan.ts";

/** A node, as far as the model looks at it. */
export interface ModelNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What a storage driver really does, whatever a plan takes it for: `attached` volumes are on one node at a time, `pinned` ones
 * belong to a node, and of `anywhere` nothing keeps pods of several nodes.
 */
export type Behaviour = "attached" | "anywhere" | { readonly pinned: string };

export interface ModelPod {
  readonly name: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Claims by name. */
  readonly claims: readonly string[];
  /** What its containers may write. */
  readonly writes: readonly Place[];
  /** Where Go keeps its build cache; nothing in a pod that runs no Go. */
  readonly goCache: Place | undefined;
}

/** A folder of a volume. Volumes that are a pod's own carry its name. */
export interface Place {
  readonly volume: string;
  readonly folder: string;
}

interface ModelClaim {
  readonly accessMode: string | undefined;
  readonly behaviour: Behaviour;
  /** Hostnames that a volume made beforehand admits. */
  readonly hostnames: readonly string[] | undefined;
}

export interface Placed {
  readonly pod: ModelPod;
  readonly node: ModelNode;
}

/** One more than a set may have: a runner that ends slowly is still there when its successor comes. */
const STRAGGLERS = 1;
const MOST_PODS = 3;

/** The pods that a plan's scale sets and jobs may have at once. */
export function podsOf(plan: CachePlan): readonly ModelPod[] {
  const runners = plan.attachments.flatMap((attachment) =>
    Array.from({ length: Math.min(attachment.maxRunners ?? MOST_PODS, MOST_PODS) + STRAGGLERS }, (_, index) => {
      const name = `${attachment.key}-runner-${index}`;
      const mounts = [...attachment.mounts, ...attachment.initContainers.flatMap((seed) => seed.volumeMounts ?? [])];
      const goCache = attachment.env.find((variable) => variable.name === "GOCACHE")?.value ?? "/home/runner/.cache";
      return {
        ...podOf(name, attachment.volumes, mounts, attachment.nodeSelector),
        goCache: placeOf(name, goCache, attachment.volumes, attachment.mounts),
      };
    }),
  );
  const collectors = plan.collections.map(({ name, volumes, mounts, nodeSelector }) => ({
    ...podOf(name, volumes, mounts, nodeSelector),
    goCache: undefined,
  }));
  return [...runners, ...collectors];
}

/** Whether Kubernetes lets a pod start on a node beside those that run. */
export function admits(
  plan: CachePlan,
  behaviour: Behaviour,
  running: readonly Placed[],
  { pod, node }: Placed,
): boolean {
  if (!Object.entries(pod.nodeSelector).every(([label, value]) => node.labels[label] === value)) return false;
  return pod.claims.every((name) => {
    const claim = claimOf(plan, behaviour, name);
    const users = running.filter((other) => other.pod.claims.includes(name));
    if (claim.accessMode === "ReadWriteOncePod" && users.length > 0) return false;
    if (claim.hostnames?.includes(node.labels["kubernetes.io/hostname"] ?? "") === false) return false;
    if (claim.behaviour === "anywhere") return true;
    if (claim.behaviour === "attached") {
      const once = claim.accessMode === "ReadWriteOnce" || claim.accessMode === "ReadWriteOncePod";
      return !once || users.every((other) => other.node.name === node.name);
    }
    return claim.behaviour.pinned === node.name;
  });
}

/** Two pods on two nodes that write one build cache, as a sentence; undefined where no schedule brings that about. */
export function conflictOf(plan: CachePlan, behaviour: Behaviour, nodes: readonly ModelNode[]): string | undefined {
  const pods = podsOf(plan);
  const caches = pods.flatMap(({ goCache }) => goCache ?? []);
  for (const first of pods) {
    for (const second of pods) {
      const shared = caches.find((cache) => writesTo(first, cache) && writesTo(second, cache));
      if (first === second || shared === undefined) continue;
      for (const [one, other] of pairsOf(nodes)) {
        const running = [{ pod: first, node: one }];
        if (!admits(plan, behaviour, [], { pod: first, node: one })) continue;
        if (!admits(plan, behaviour, running, { pod: second, node: other })) continue;
        return `${first.name} on ${one.name} and ${second.name} on ${other.name} write ${shared.volume}/${shared.folder}`;
      }
    }
  }
  return undefined;
}

function pairsOf(nodes: readonly ModelNode[]): readonly (readonly [ModelNode, ModelNode])[] {
  return nodes.flatMap((one) => nodes.filter((other) => other !== one).map((other) => [one, other] as const));
}

function writesTo(pod: ModelPod, cache: Place): boolean {
  return pod.writes.some(
    ({ volume, folder }) => volume === cache.volume && (isBelow(cache.folder, folder) || isBelow(folder, cache.folder)),
  );
}

function isBelow(folder: string, top: string): boolean {
  return top === "" || folder === top || folder.startsWith(`${top}/`);
}

type AnyVolume = Pick<V1Volume, "name" | "persistentVolumeClaim">;

function podOf(
  name: string,
  volumes: readonly AnyVolume[],
  mounts: readonly V1VolumeMount[],
  nodeSelector: Readonly<Record<string, string>>,
): Omit<ModelPod, "goCache"> {
  const writes = mounts.flatMap((mount) => {
    const volume = volumes.find((candidate) => candidate.name === mount.name);
    if (volume === undefined || mount.readOnly === true || volume.persistentVolumeClaim?.readOnly === true) return [];
    return [{ volume: identityOf(name, volume), folder: mount.subPath ?? "" }];
  });
  const claims = volumes.flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
  return {
    name,
    nodeSelector,
    claims: [...new Set(claims)],
    writes: [...writes, { volume: `${name}/image`, folder: "" }],
  };
}

/** The folder that a path of a container leads to: that of the deepest mount, else of its image. */
function placeOf(pod: string, file: string, volumes: readonly AnyVolume[], mounts: readonly V1VolumeMount[]): Place {
  const [mount] = mounts
    .filter(({ mountPath }) => isBelow(file, mountPath))
    .sort((a, b) => b.mountPath.length - a.mountPath.length);
  const volume = volumes.find(({ name }) => name === mount?.name);
  if (mount === undefined || volume === undefined) return { volume: `${pod}/image`, folder: file };
  const rest = file.slice(mount.mountPath.length + 1);
  return {
    volume: identityOf(pod, volume),
    folder: [mount.subPath ?? "", rest].filter((part) => part !== "").join("/"),
  };
}

function identityOf(pod: string, { name, persistentVolumeClaim: claim }: AnyVolume): string {
  return claim === undefined ? `${pod}/${name}` : claim.claimName;
}

/** A claim of the plan; one that was there before may be of any kind, and in use anywhere. */
function claimOf(plan: CachePlan, behaviour: Behaviour, name: string): ModelClaim {
  const claim = plan.claims.find((candidate) => candidate.name === name);
  if (claim === undefined) return { accessMode: undefined, behaviour: "anywhere", hostnames: undefined };
  const terms = claim.localVolume?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return {
    accessMode: claim.spec.accessModes?.[0],
    behaviour: claim.localVolume === undefined ? behaviour : "anywhere",
    hostnames:
      claim.localVolume === undefined
        ? undefined
        : terms.flatMap(({ matchExpressions = [] }) => matchExpressions.flatMap(({ values = [] }) => values)),
  };
}
