import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  credentialsVersionOf,
  GITHUB_SECRET_NAME,
  githubSecretData,
  requireCredentials,
  type Credentials,
} from "../runners/namespace/credentials.ts";
import { podSecurityLabels, type PodSecurityLevel } from "../runners/namespace/labels.ts";
import { networkPolicies, type NetworkAccess, type NetworkPolicy } from "../runners/namespace/network-policy.ts";
import { limitRangeSpec, quotaSpec, type Amounts, type ContainerLimits } from "../runners/namespace/quota.ts";
import { requireNamespaceName } from "../runners/scale-set/name.ts";
import { configSecret } from "./config-secret.ts";

type PolicySpec = k8s.types.input.networking.v1.NetworkPolicySpec;

export interface RunnerNamespaceArgs {
  readonly namespace: string;
  /** What its pods may ask of their node: restricted for runners alone, baseline with job hooks, privileged with dind. */
  readonly podSecurity: PodSecurityLevel;
  /** How its runners register. Secrets are named here and read inside, so that no argument ever holds one. */
  readonly credentials: Credentials;
  readonly network: NetworkAccess;
  /** Hard limits of the namespace; none where left out. */
  readonly quota?: Amounts;
  /** What containers get that say nothing themselves; a little where left out. */
  readonly limits?: ContainerLimits;
  /** Leave the namespace, and with it the volumes in it, when the stack is destroyed. */
  readonly retain?: boolean;
  /** A provider that takes objects over: for a namespace that a destroyed stack left, where it is retained. */
  readonly adoptWith?: pulumi.ProviderResource;
  /** The key path under which this is written, for error messages; the component's name where left out. */
  readonly at?: string;
}

/** A namespace for runners that trust each other: its walls, its share of the cluster, and how they register. */
export class RunnerNamespace extends pulumi.ComponentResource {
  /** The namespace, once its walls stand: what is made in it waits for them, and is deleted before them. */
  readonly namespace: pulumi.Output<string>;
  /** The Secret in it that registers runners; with a vault, the name of the vault's secret. */
  readonly secretName: pulumi.Output<string>;
  /** Changes whenever the credentials do, as far as kiln knows them: a listener reads them only as it starts. */
  readonly credentialsVersion: pulumi.Output<string>;

  constructor(name: string, args: RunnerNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    const { policies, quota, limits } = checked(args, args.at ?? name);
    super("kiln:runner:RunnerNamespace", name, {}, opts);
    const own: pulumi.CustomResourceOptions = { parent: this };

    const space = new k8s.core.v1.Namespace(
      name,
      { metadata: { name: args.namespace, labels: podSecurityLabels(args.podSecurity) } },
      { ...own, ...kept(args) },
    );
    const named = (child: string) => ({ namespace: space.metadata.name, name: child });

    const walls = policies.map(({ name: policy, spec }) => {
      const values = { metadata: named(policy), spec: spec as PolicySpec };
      return new k8s.networking.v1.NetworkPolicy(`${name}-${policy}`, values, own);
    });
    const shares = [
      ...(quota === undefined
        ? []
        : [new k8s.core.v1.ResourceQuota(`${name}-quota`, { metadata: named("runners"), spec: quota }, own)]),
      new k8s.core.v1.LimitRange(`${name}-limits`, { metadata: named("runners"), spec: limits }, own),
    ];

    this.namespace = pulumi
      .all([space.metadata.name, ...[...walls, ...shares].map(({ metadata }) => metadata.name)])
      .apply(() => args.namespace);
    const { secretName, version } = this.#credentials(name, args.credentials, named(GITHUB_SECRET_NAME));
    this.secretName = secretName;
    this.credentialsVersion = version;
    this.registerOutputs({ namespace: this.namespace, secretName, credentialsVersion: version });
  }

  /** The Secret of an App or a token is made here; any other is named. */
  #credentials(name: string, credentials: Credentials, metadata: k8s.types.input.meta.v1.ObjectMeta) {
    if (credentials.kind === "existing" || credentials.kind === "vault") {
      const version = credentialsVersionOf({ name: credentials.secretName });
      return { secretName: pulumi.output(credentials.secretName), version: pulumi.output(version) };
    }
    const key = credentials.kind === "app" ? credentials.privateKeyConfig : credentials.tokenConfig;
    const data = configSecret(key).apply((secret) => githubSecretData(credentials, secret));
    const secret = new k8s.core.v1.Secret(
      `${name}-github`,
      { metadata, type: "Opaque", stringData: data },
      { parent: this, additionalSecretOutputs: ["data", "stringData"] },
    );
    // 64 bits of a hash tell nothing of a key, and an annotation that nobody can read would make every diff unreadable.
    return { secretName: secret.metadata.name, version: pulumi.unsecret(data.apply(credentialsVersionOf)) };
  }
}

/** What is left in the cluster is there when the stack comes back. */
function kept({ retain = false, adoptWith }: RunnerNamespaceArgs): pulumi.CustomResourceOptions {
  return { retainOnDelete: retain, ...(retain && adoptWith !== undefined ? { provider: adoptWith } : {}) };
}

/** All that is decided before anything is registered. Throws a usage error that begins with `at`. */
function checked({ namespace, credentials, network, quota = {}, limits = {} }: RunnerNamespaceArgs, at: string) {
  requireNamespaceName(namespace, `${at}.namespace`);
  requireCredentials(credentials, undefined, `${at}.credentials`);
  const policies: readonly NetworkPolicy[] = networkPolicies(network, `${at}.network`);
  const hard = quotaSpec(quota, `${at}.quota`);
  return {
    policies,
    quota: Object.keys(quota).length === 0 ? undefined : hard,
    limits: limitRangeSpec(limits, quota, `${at}.limits`) as k8s.types.input.core.v1.LimitRangeSpec,
  };
}
