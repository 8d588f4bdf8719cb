import { KilnError } from "../../errors.ts";
import { blockPeer } from "../../runners/namespace/forbidden-networks.ts";
import { ALLOW_DNS, internet, type NetworkPolicySpec } from "../../runners/namespace/network-policy.ts";
import type { JobDescription } from "./description.ts";
import { JOB_LABELS, manifestName } from "./manifest.ts";

/** A NetworkPolicy as `networking.k8s.io/v1` has it. */
export interface JobNetworkPolicy {
  readonly apiVersion: "networking.k8s.io/v1";
  readonly kind: "NetworkPolicy";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: Omit<NetworkPolicySpec, "egress"> & { readonly egress: readonly object[] };
}

/**
 * Where GKE with Cloud DNS answers its pods, on the metadata server's own address: on port 53 there is a resolver and nothing
 * else. The metadata itself, on 80 and other ports, stays closed; a name that is asked for tells no credentials.
 */
const CLOUD_DNS = {
  to: [{ ipBlock: { cidr: "169.254.169.254/32" } }],
  ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: 53 })),
};

/**
 * The policy of one job's pod: nothing in; out to DNS and to the internet where the job has a network, without private
 * networks and without any cloud's metadata service; to nothing where it has none. `open` blocks are let out to beside.
 */
export function jobNetworkPolicy(
  description: JobDescription,
  { namespace, open = [] }: { readonly namespace: string; readonly open?: readonly string[] },
): JobNetworkPolicy {
  const name = manifestName(description);
  if (description.network !== "none" && description.network !== "isolated") {
    throw new KilnError("usage", `the network ${description.network} is one of Docker: Kubernetes has none by name`, {
      mend: "Leave --network out, and name what the job may reach beside the internet with --open.",
    });
  }
  const to = [...internet([], "the network of a job"), ...open.map((block) => blockPeer(block, "--open"))];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace, labels: JOB_LABELS },
    spec: {
      podSelector: { matchLabels: { "dev.kiln/job": name } },
      policyTypes: ["Ingress", "Egress"],
      egress: description.network === "none" ? [] : [...(ALLOW_DNS.spec.egress ?? []), CLOUD_DNS, { to }],
    },
  };
}
