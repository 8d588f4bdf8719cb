import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  BUILDKIT_NAME,
  BUILDKIT_PORT,
  BUILDKIT_SERVICE,
  buildKitAddress,
  buildKitClaim,
  buildKitConfig,
  buildKitPod,
  requireBuildKit,
  type BuildKitRequest,
} from "../runners/namespace/buildkit.ts";
import { podSecurityLabels } from "../runners/namespace/labels.ts";
import { ingress, networkPolicies, podsOf, type NetworkAccess } from "../runners/namespace/network-policy.ts";
import { requireNamespaceName } from "../runners/scale-set/name.ts";

type PolicySpec = k8s.types.input.networking.v1.NetworkPolicySpec;
type PodTemplate = k8s.types.input.core.v1.PodTemplateSpec;
type ClaimSpec = k8s.types.input.core.v1.PersistentVolumeClaimSpec;

export interface BuildKitArgs extends BuildKitRequest {
  /** A namespace for it alone: rootless builds need the pod security level `privileged`, which runners must not have. */
  readonly namespace: string;
  /** The namespaces whose pods may use it. They share its cache: name only those that trust each other. */
  readonly clients: readonly string[];
  /** Where builds may connect to. */
  readonly network: NetworkAccess;
  /** The key path under which this is written, for error messages; the component's name where left out. */
  readonly at?: string;
}

/** A rootless buildkitd for the runners of one trust zone: images without a privileged Docker daemon, and with a cache. */
export class BuildKit extends pulumi.ComponentResource {
  /** `tcp://…`, for BUILDKIT_HOST; known once clients can connect. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: BuildKitArgs, opts?: pulumi.ComponentResourceOptions) {
    const policies = checkedPolicies(args, args.at ?? name);
    super("kiln:runner:BuildKit", name, args, opts);
    const own: pulumi.CustomResourceOptions = { parent: this };

    const space = new k8s.core.v1.Namespace(
      name,
      { metadata: { name: args.namespace, labels: podSecurityLabels("privileged") } },
      own,
    );
    const metadata = { namespace: space.metadata.name, name: BUILDKIT_NAME };

    const walls = policies.map(({ name: policy, spec }) => {
      const values = { metadata: { ...metadata, name: policy }, spec: spec as PolicySpec };
      return new k8s.networking.v1.NetworkPolicy(`${name}-${policy}`, values, own);
    });
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata, data: { "buildkitd.toml": buildKitConfig(args) } },
      own,
    );
    // Many storage classes bind a claim when its first pod is placed: waiting for that here would wait for ever.
    const claim = new k8s.core.v1.PersistentVolumeClaim(
      `${name}-state`,
      {
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: buildKitClaim(args) as ClaimSpec,
      },
      own,
    );
    const service = new k8s.core.v1.Service(name, { metadata, spec: { ...BUILDKIT_SERVICE, ports: [...PORTS] } }, own);
    const daemon = new k8s.apps.v1.StatefulSet(
      name,
      {
        metadata,
        spec: {
          serviceName: service.metadata.name,
          replicas: 1,
          selector: { matchLabels: BUILDKIT_SERVICE.selector },
          template: buildKitPod(args) as PodTemplate,
        },
      },
      { ...own, dependsOn: [...walls, config, claim] },
    );

    this.address = pulumi.all([space.metadata.name, daemon.metadata.name]).apply(([first]) => buildKitAddress(first));
    this.registerOutputs({ address: this.address });
  }
}

const PORTS = BUILDKIT_SERVICE.ports;

/** Nothing in but its clients, out what builds need. Throws a usage error that begins with `at`. */
function checkedPolicies(args: BuildKitArgs, at: string) {
  requireNamespaceName(args.namespace, `${at}.namespace`);
  for (const client of args.clients) requireNamespaceName(client, `${at}.clients`);
  requireBuildKit(args, at);
  const clients = [...args.clients].sort().map((namespace) => podsOf(namespace));
  // An empty list of peers would let everybody in: without clients the first policy's denial stands alone.
  const allowed = clients.length === 0 ? [] : [ingress("allow-clients", clients, BUILDKIT_PORT)];
  return [...networkPolicies(args.network, `${at}.network`), ...allowed];
}
