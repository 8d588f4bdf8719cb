import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { parsePinnedImage } from "../registry/image-reference.ts";
import { KilnError } from "../errors.ts";
import { podSecurityLabels } from "../runners/namespace/labels.ts";
import { networkPolicies, type NetworkAccess } from "../runners/namespace/network-policy.ts";
import { credentialsVersionOf, GITHUB_SECRET_NAME, githubSecretData } from "../runners/namespace/credentials.ts";
import { RESTRICTED_CONTAINER, RUNNER_POD_SECURITY } from "../runners/runner-user.ts";
import type { WatcherCredentials } from "../settings/release-watcher.ts";
import { configSecret } from "./config-secret.ts";

export interface ReleaseWatcherArgs {
  readonly namespace: string;
  /** kiln with its packages, by digest: what runs beside a key that releases is known byte by byte. */
  readonly image: string;
  /** Secrets of the namespace that pull it. */
  readonly imagePullSecrets?: readonly string[];
  /** A cron expression of five fields. */
  readonly schedule: string;
  /** `owner/name` on GitHub: where tags are pushed. */
  readonly repository: string;
  /** The GitHub App that pushes them: its Secret is there, or its key stands in the configuration. */
  readonly credentials: WatcherCredentials;
  /** The text of the watcher's file (images/pulumi-runner/watch.yaml): a change is there at the next run. */
  readonly policy: string;
  /** Where images to try are looked up, such as `public.ecr.aws/acme-dev`. */
  readonly preproduction: string;
  /** Where those for everybody are. */
  readonly production: string;
  /** What it may connect to beside DNS and port 443 of the internet: a mirror, a GitHub Enterprise Server. */
  readonly network: NetworkAccess;
}

type PolicySpec = k8s.types.input.networking.v1.NetworkPolicySpec;

/** A look takes seconds. Where a source is slow it is given up: the next one is soon. */
const DEADLINE_SECONDS = 600;
const SETTINGS = "/etc/kiln";
const KEY = "/var/run/kiln/github";

/** Looks for new versions of Pulumi from within a cluster, and pushes the tags that release them. */
export class ReleaseWatcher extends pulumi.ComponentResource {
  /** The CronJob, as alert rules name it. */
  readonly cronJobName: pulumi.Output<string>;

  constructor(name: string, args: ReleaseWatcherArgs, opts?: pulumi.ComponentResourceOptions) {
    if (parsePinnedImage(args.image) === undefined) {
      throw new KilnError("usage", `${name}: ${args.image} is no image by digest`, {
        mend: "Write repository@sha256:…",
      });
    }
    const policies = networkPolicies(args.network, `${name}.network`);
    super("kiln:release:ReleaseWatcher", name, {}, opts);
    const own: pulumi.CustomResourceOptions = { parent: this };
    const labels = { "app.kubernetes.io/name": "release-watcher", "app.kubernetes.io/managed-by": "pulumi" };
    const space = new k8s.core.v1.Namespace(
      name,
      { metadata: { name: args.namespace, labels: { ...labels, ...podSecurityLabels("restricted") } } },
      own,
    );
    const namespace = space.metadata.name;
    // Nothing comes in, and nothing of the cluster's is within reach of a pod with a key that releases.
    const walls = policies.map(({ name: wall, spec }) => {
      const values = { metadata: { name: wall, namespace, labels }, spec: spec as PolicySpec };
      return new k8s.networking.v1.NetworkPolicy(`${name}-${wall}`, values, own);
    });
    const policy = new k8s.core.v1.ConfigMap(
      `${name}-policy`,
      { metadata: { name: "watch-policy", namespace, labels }, data: { "watch.yaml": args.policy } },
      own,
    );
    const secretName = this.#secret(name, namespace, args.credentials);
    const job = new k8s.batch.v1.CronJob(
      name,
      {
        metadata: { name: "release-watcher", namespace, labels },
        spec: {
          schedule: args.schedule,
          // Two at once would push the same tags: harmless, and of no use.
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: 1800,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 3,
          jobTemplate: {
            spec: {
              backoffLimit: 0,
              activeDeadlineSeconds: DEADLINE_SECONDS,
              template: { metadata: { labels }, spec: pod(args, policy.metadata.name, secretName) },
            },
          },
        },
      },
      { ...own, dependsOn: walls },
    );
    this.cronJobName = job.metadata.name;
    this.registerOutputs({ cronJobName: this.cronJobName });
  }

  /** The Secret of an App whose key stands in the configuration is made here; another one is named. */
  #secret(name: string, namespace: pulumi.Input<string>, credentials: WatcherCredentials): pulumi.Output<string> {
    if (credentials.kind === "existing") return pulumi.output(credentials.secretName);
    const data = configSecret(credentials.privateKeyConfig).apply((key) => githubSecretData(credentials, key));
    const version = pulumi.unsecret(data.apply(credentialsVersionOf));
    const metadata = { name: GITHUB_SECRET_NAME, namespace, annotations: { "kiln/credentials": version } };
    const secret = new k8s.core.v1.Secret(
      `${name}-github`,
      { metadata, type: "Opaque", stringData: data },
      { parent: this, additionalSecretOutputs: ["data", "stringData"] },
    );
    return secret.metadata.name;
  }
}

function pod(
  args: ReleaseWatcherArgs,
  policyName: pulumi.Input<string>,
  secretName: pulumi.Output<string>,
): k8s.types.input.core.v1.PodSpec {
  const fromSecret = (name: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: secretName, key } } });
  const registries = [`preproduction=${args.preproduction}`, `production=${args.production}`];
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: RUNNER_POD_SECURITY,
    imagePullSecrets: (args.imagePullSecrets ?? []).map((secret) => ({ name: secret })),
    containers: [
      {
        name: "watch",
        image: args.image,
        args: [
          ...["watch", "--once", "--via", "api", "--config", `${SETTINGS}/watch.yaml`],
          ...registries.flatMap((registry) => ["--registry", registry]),
        ],
        env: [
          { name: "GITHUB_REPOSITORY", value: args.repository },
          { name: "KILN_CACHE_DIR", value: "/tmp/kiln" },
          { name: "HOME", value: "/tmp" },
          fromSecret("KILN_APP_ID", "github_app_id"),
          fromSecret("KILN_APP_INSTALLATION_ID", "github_app_installation_id"),
          { name: "KILN_APP_PRIVATE_KEY_FILE", value: `${KEY}/key.pem` },
        ],
        securityContext: RESTRICTED_CONTAINER,
        resources: {
          requests: { cpu: "50m", memory: "192Mi", "ephemeral-storage": "32Mi" },
          limits: { memory: "512Mi", "ephemeral-storage": "256Mi" },
        },
        volumeMounts: [
          { name: "policy", mountPath: SETTINGS, readOnly: true },
          { name: "github", mountPath: KEY, readOnly: true },
          { name: "scratch", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "policy", configMap: { name: policyName } },
      // A file that the pod's group may read: no environment that a crash report would print.
      {
        name: "github",
        secret: { secretName, defaultMode: 0o440, items: [{ key: "github_app_private_key", path: "key.pem" }] },
      },
      { name: "scratch", emptyDir: { sizeLimit: "256Mi" } },
    ],
  };
}
