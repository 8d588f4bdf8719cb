import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { RESTRICTED_CONTAINER, RUNNER_POD_SECURITY } from "../runners/runner-user.ts";

export interface ImagePrePullArgs {
  readonly namespace: pulumi.Input<string>;
  /** The name of the DaemonSet: at most 63 characters. */
  readonly daemonSetName: string;
  /** The runner image, by digest: pulled on every node, and kept there by a container that sleeps. */
  readonly image: pulumi.Input<string>;
  /** More images of runner pods, by the scale set that has them. Each must have the command `true`. */
  readonly moreImages?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Secrets of the namespace that pull the images. */
  readonly imagePullSecrets?: readonly pulumi.Input<string>[];
  /** The nodes of the scale sets. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Those of the scale sets. */
  readonly tolerations?: readonly kubernetes.types.input.core.v1.Toleration[];
}

/**
 * Has every node that may run runners pull their images before the first job does. An image that no container uses is what
 * kubelet removes first when a disk fills up: so one container of the runner image stays, and sleeps.
 */
export class ImagePrePull extends pulumi.ComponentResource {
  constructor(name: string, args: ImagePrePullArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kiln:runner:ImagePrePull", name, args, opts);
    const { namespace, daemonSetName, image, moreImages = {}, imagePullSecrets = [] } = args;
    const labels = { "app.kubernetes.io/name": daemonSetName, "app.kubernetes.io/component": "image-pre-pull" };
    new kubernetes.apps.v1.DaemonSet(
      name,
      {
        metadata: {
          name: daemonSetName,
          namespace,
          labels: { ...labels, "app.kubernetes.io/managed-by": "pulumi" },
          // A node that cannot pull, or takes long, is no reason for a stack to wait.
          annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
          selector: { matchLabels: labels },
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "100%" } },
          template: {
            metadata: { labels, annotations: { "cluster-autoscaler.kubernetes.io/enable-ds-eviction": "true" } },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              // sleep, as process 1, does not hear that it should end.
              terminationGracePeriodSeconds: 1,
              securityContext: RUNNER_POD_SECURITY,
              nodeSelector: { ...args.nodeSelector },
              tolerations: [...(args.tolerations ?? [])],
              imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })),
              initContainers: [
                tinyContainer("pull-runner", image, ["true"]),
                ...Object.entries(moreImages).map(([key, other]) => tinyContainer(`pull-${key}`, other, ["true"])),
              ],
              containers: [tinyContainer("keep", image, ["sleep", "infinity"])],
            },
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

function tinyContainer(name: string, image: pulumi.Input<string>, command: string[]) {
  return {
    name,
    image,
    command,
    securityContext: RESTRICTED_CONTAINER,
    resources: { requests: { cpu: "1m", memory: "8Mi" }, limits: { memory: "32Mi" } },
  };
}
