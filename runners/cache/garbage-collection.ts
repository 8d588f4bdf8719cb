import type { V1VolumeMount } from "@kubernetes/client-node";
import { cacheKey, cacheNodeSelector, CACHE_VOLUME } from "./layout.ts";
import type { CacheClaim } from "./claim.ts";
import type { CheckedBasics, CheckedCollection } from "./checked-cache.ts";

/** A job that keeps one volume below its budget: all of it but the image, which the cluster's stack knows. */
export interface GarbageCollection {
  /** Of the CronJob. */
  readonly name: string;
  readonly claim: string;
  readonly labels: Readonly<Record<string, string>>;
  /** A cron expression. */
  readonly schedule: string;
  readonly command: readonly string[];
  readonly volumes: readonly {
    readonly name: string;
    readonly persistentVolumeClaim: { readonly claimName: string };
  }[];
  readonly mounts: readonly V1VolumeMount[];
  /** Where its pods must run: on the node of the runners, where they have one. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** The most that a pod may take once it has a node, in seconds: while it has the volume, a lane waits for it. */
  readonly deadlineSeconds: number;
}

/** Where the runner image has the collector (images/actions-runner/collect-garbage.mjs). */
export const COLLECTOR = "/usr/local/lib/kiln/collect-garbage.mjs";

/** Where the collector has the whole volume, folders of other Go versions included. */
const ROOT = "/cache";

const DEADLINE_SECONDS = 15 * 60;

/** The jobs that collect the garbage of claims: none where nothing is to be collected. */
export function garbageCollections(
  cache: CheckedBasics & { readonly collection: CheckedCollection | undefined },
  claims: readonly CacheClaim[],
): readonly GarbageCollection[] {
  const { collection } = cache;
  return collection === undefined ? [] : claims.map((claim) => garbageCollection(cache, collection, claim));
}

function garbageCollection(
  cache: CheckedBasics,
  { schedule, budgetBytes, minimumAgeHours }: CheckedCollection,
  { name: claim, labels, spec }: CacheClaim,
): GarbageCollection {
  // Go notes of no module when it was last used. Only a pod that has the volume to itself may take one away.
  const alone = spec.accessModes?.includes("ReadWriteOncePod") ?? false;
  return {
    name: `${claim}-gc`,
    claim,
    labels,
    schedule,
    command: [
      ...["node", COLLECTOR, "--root", ROOT, "--keep", cacheKey(cache)],
      ...["--budget", String(budgetBytes), "--minimum-age-hours", String(minimumAgeHours)],
      ...(alone ? ["--modules"] : []),
    ],
    volumes: [{ name: CACHE_VOLUME, persistentVolumeClaim: { claimName: claim } }],
    mounts: [{ name: CACHE_VOLUME, mountPath: ROOT }],
    nodeSelector: cacheNodeSelector(cache),
    deadlineSeconds: DEADLINE_SECONDS,
  };
}
