import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { APP_DIRECTORY, freshnessPod, type FreshnessCheck } from "../runners/upkeep/freshness-check.ts";
import { RESTRICTED_CONTAINER, RUNNER_POD_SECURITY } from "../runners/runner-user.ts";

export interface RunnerFreshnessArgs extends FreshnessCheck {
  /** Where the runners are, whose Secret the check uses. */
  readonly namespace: pulumi.Input<string>;
  /** The name of the CronJob: at most 52 characters. `runner-freshness` where left out. */
  readonly cronJobName?: string;
  /** The image that the runners have: its age is what is checked. */
  readonly image: pulumi.Input<string>;
  /** The Secret that registers runners. Its App needs the permission Actions (write) on the repository. */
  readonly secretName: pulumi.Input<string>;
  /** Secrets of the namespace that pull the image. */
  readonly imagePullSecrets?: readonly pulumi.Input<string>[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly k8s.types.input.core.v1.Toleration[];
  /** The key path under which this is written, for error messages; the component's name where left out. */
  readonly at?: string;
}

/** A day and an hour: a check that failed is to be seen until the next one has run, and no longer. */
const KEPT_SECONDS = 25 * 60 * 60;

/**
 * Looks every day from within the cluster whether the runner is too old, starts the workflow that rebuilds its image, and fails
 * until that has arrived. A schedule at GitHub would not do: those of a repository that rests for 60 days are switched off.
 */
export class RunnerFreshness extends pulumi.ComponentResource {
  /** The CronJob, as alert rules name it. */
  readonly cronJobName: pulumi.Output<string>;

  constructor(name: string, args: RunnerFreshnessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:runner:RunnerFreshness", name, args, opts);
    const pod = freshnessPod(args, args.at ?? name);
    const { cronJobName = "runner-freshness", namespace, image, secretName, imagePullSecrets = [] } = args;
    const labels = { "app.kubernetes.io/name": cronJobName, "app.kubernetes.io/component": "runner-freshness" };
    const job = new k8s.batch.v1.CronJob(
      name,
      {
        metadata: { name: cronJobName, namespace, labels: { ...labels, "app.kubernetes.io/managed-by": "pulumi" } },
        spec: {
          schedule: pod.schedule,
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: 3600,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 1,
          jobTemplate: {
            metadata: { labels },
            spec: {
              // Each try starts the workflow: the next one is tomorrow's.
              backoffLimit: 0,
              activeDeadlineSeconds: 600,
              ttlSecondsAfterFinished: KEPT_SECONDS,
              template: {
                metadata: { labels },
                spec: {
                  restartPolicy: "Never",
                  automountServiceAccountToken: false,
                  enableServiceLinks: false,
                  securityContext: RUNNER_POD_SECURITY,
                  nodeSelector: { ...args.nodeSelector },
                  tolerations: [...(args.tolerations ?? [])],
                  imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })),
                  containers: [
                    {
                      name: "check-freshness",
                      image,
                      command: [...pod.command],
                      env: [...pod.env],
                      securityContext: RESTRICTED_CONTAINER,
                      resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
                      volumeMounts: [{ name: "github", mountPath: APP_DIRECTORY, readOnly: true }, ...pod.mounts],
                    },
                  ],
                  // Files that the runner's group may read: no environment that a crash report would print.
                  volumes: [{ name: "github", secret: { secretName, defaultMode: 0o440 } }, ...pod.volumes],
                },
              },
            },
          },
        },
      },
      { parent: this },
    );
    this.cronJobName = job.metadata.name;
    this.registerOutputs({ cronJobName: this.cronJobName });
  }
}
