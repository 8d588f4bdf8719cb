import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { CacheClaim } from "../runners/cache/claim.ts";
import type { CachePlan } from "../runners/cache/plan.ts";
import type { GarbageCollection } from "../runners/cache/garbage-collection.ts";
import { RESTRICTED_CONTAINER, RUNNER_POD_SECURITY } from "../runners/runner-user.ts";

export interface CacheVolumesArgs {
  /** Where the runners are: a claim belongs to one namespace. */
  readonly namespace: pulumi.Input<string>;
  /** Of `planCache`: what it refuses never comes here. */
  readonly plan: CachePlan;
  /** The runner image, which holds the collector. */
  readonly image: pulumi.Input<string>;
  /** Secrets of the namespace that pull the image. */
  readonly imagePullSecrets?: readonly pulumi.Input<string>[];
  /** A provider that takes objects over: for volumes that a destroyed stack left, where the plan retains them. */
  readonly adoptWith?: pulumi.ProviderResource;
  /** Of the pods that collect garbage: those of the scale sets, so that they reach the same nodes. */
  readonly tolerations?: readonly kubernetes.types.input.core.v1.Toleration[];
  /** Of the pods that collect garbage, beside what the plan says, which comes first. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

/** The volumes of a Go cache, and the jobs that keep them below their budget. */
export class CacheVolumes extends pulumi.ComponentResource {
  /** The names of the claims that were made. */
  readonly claims: pulumi.Output<readonly string[]>;

  constructor(name: string, args: CacheVolumesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:runner:CacheVolumes", name, {}, opts);
    const { plan } = args;
    const claims = plan.claims.map((claim) => {
      const volume = localVolume(this, name, args, claim);
      return volumeClaim(this, name, args, claim, volume);
    });
    const byClaim = new Map(plan.claims.map((claim, index) => [claim.name, claims[index]]));
    for (const collection of plan.collections) {
      collector(this, name, args, collection, byClaim.get(collection.claim));
    }
    this.claims = pulumi.all(claims.map(({ metadata }) => metadata.name));
    this.registerOutputs({ claims: this.claims });
  }
}

/** A folder of a node as a volume, kept for this claim alone. */
function localVolume(
  parent: CacheVolumes,
  name: string,
  args: CacheVolumesArgs,
  claim: CacheClaim,
): kubernetes.core.v1.PersistentVolume | undefined {
  if (claim.localVolume === undefined) return undefined;
  const { namespace, plan } = args;
  const { protect } = plan;
  return new kubernetes.core.v1.PersistentVolume(
    `${name}-${partOf(claim)}`,
    {
      // Volumes have no namespace: the claim's makes their names differ.
      metadata: { name: pulumi.interpolate`${namespace}-${claim.name}`, labels: claim.labels },
      spec: {
        ...claim.localVolume,
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim.name },
      },
    },
    { parent, protect, ...kept(args) },
  );
}

/**
 * A claim that is not waited for: one of a class that binds at its first use stays pending until a runner comes, and runners
 * come when there is a job (pulumi-kubernetes#895, #4179).
 */
function volumeClaim(
  parent: CacheVolumes,
  name: string,
  args: CacheVolumesArgs,
  claim: CacheClaim,
  volume: kubernetes.core.v1.PersistentVolume | undefined,
): kubernetes.core.v1.PersistentVolumeClaim {
  const { namespace, plan } = args;
  const { protect } = plan;
  return new kubernetes.core.v1.PersistentVolumeClaim(
    `${name}-${partOf(claim)}`,
    {
      metadata: {
        name: claim.name,
        namespace,
        labels: claim.labels,
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: claim.spec,
    },
    {
      parent,
      protect,
      ...kept(args),
      ...(volume === undefined ? {} : { dependsOn: [volume] }),
    },
  );
}

/** What is left in the cluster is there when the stack comes back. */
function kept({ plan: { retention }, adoptWith }: CacheVolumesArgs): pulumi.CustomResourceOptions {
  const retain = retention === "retain";
  return { retainOnDelete: retain, ...(retain && adoptWith !== undefined ? { provider: adoptWith } : {}) };
}

/** The job that keeps one volume below its budget: never two at once, and none that holds a volume for long. */
function collector(
  parent: CacheVolumes,
  name: string,
  args: CacheVolumesArgs,
  collection: GarbageCollection,
  claim: pulumi.Resource | undefined,
): kubernetes.batch.v1.CronJob {
  const { namespace, image, imagePullSecrets = [], tolerations = [], nodeSelector } = args;
  return new kubernetes.batch.v1.CronJob(
    `${name}-${collection.labels["kiln.dev/cache-part"] ?? collection.claim}-gc`,
    {
      metadata: { name: collection.name, namespace, labels: collection.labels },
      spec: {
        schedule: collection.schedule,
        concurrencyPolicy: "Forbid",
        startingDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 1,
        jobTemplate: {
          metadata: { labels: collection.labels },
          spec: {
            backoffLimit: 0,
            template: {
              metadata: { labels: collection.labels },
              spec: {
                // Of the pod, not of the job: a pod that waits for its turn at a lane is not at fault.
                activeDeadlineSeconds: collection.deadlineSeconds,
                restartPolicy: "Never",
                automountServiceAccountToken: false,
                enableServiceLinks: false,
                securityContext: RUNNER_POD_SECURITY,
                nodeSelector: { ...nodeSelector, ...collection.nodeSelector },
                tolerations: [...tolerations],
                imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })),
                containers: [
                  {
                    name: "collect-garbage",
                    image,
                    command: [...collection.command],
                    securityContext: RESTRICTED_CONTAINER,
                    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
                    volumeMounts: [...collection.mounts],
                  },
                ],
                volumes: [...collection.volumes],
              },
            },
          },
        },
      },
    },
    { parent, ...(claim === undefined ? {} : { dependsOn: [claim] }) },
  );
}

/** What tells a claim from the others of its cache. */
function partOf(claim: CacheClaim): string {
  return claim.labels["kiln.dev/cache-part"] ?? claim.name;
}
