import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

export interface ClusterProviderArgs {
  /** Of the kubeconfig; the current one where left out. */
  readonly context: string | undefined;
  /**
   * Take objects over that are in the cluster already. Only for what nobody else's resource can have made under another name:
   * CRDs, and what a destroyed stack left on purpose. A resource that is merely renamed would else delete its own object.
   */
  readonly adopts?: boolean;
}

/**
 * The provider for one cluster. Its plugin reads KUBECONFIG by itself. The SDK would read it too and hand it to the engine as
 * an input: a path of this machine would stand in the state, and another machine's would replace all that is in the cluster.
 */
export function clusterProvider(
  name: string,
  { context, adopts = false }: ClusterProviderArgs,
  opts: pulumi.ResourceOptions = {},
): k8s.Provider {
  const args: k8s.ProviderArgs = {
    // Replaced, a rotated credential would be gone while a scale set needs it.
    enableSecretMutable: true,
    enableConfigMapMutable: true,
    ...(adopts ? { upsertExistingObjects: true } : {}),
    ...(context === undefined ? {} : { context }),
  };
  return new k8s.Provider(name, args, {
    ...opts,
    transformations: [...(opts.transformations ?? []), withoutKubeconfig],
  });
}

function withoutKubeconfig({ props, opts }: pulumi.ResourceTransformationArgs): pulumi.ResourceTransformationResult {
  return { props: { ...(props as object), kubeconfig: undefined }, opts };
}
