import type {
  V1Affinity,
  V1Container,
  V1PersistentVolumeClaimSpec,
  V1PodSpec,
  V1PodTemplateSpec,
  V1PolicyRule,
  V1ResourceRequirements,
  V1Toleration,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
import type { ControllerReference } from "../controller/arc.ts";
import type { CacheAttachment } from "../cache/attachment.ts";
import type { ContainerMode, Dind } from "./container-mode.ts";
import type { AzureKeyVault } from "../namespace/credentials.ts";
import type { PodSecurity } from "./pod-security.ts";

/**
 * All that makes one scale set. `Text` is what may come from another resource: `string` where plain objects are wanted,
 * `pulumi.Input<string>` in a program, so that a preview still shows every other field of the manifests.
 */
export interface ScaleSetRequest<Text> {
  /** Where runners run. Its name has at most 63 characters. */
  readonly namespace: Text;
  /** What workflows write after `runs-on:`; at most 45 characters. */
  readonly scaleSetName: string;
  /** `https://github.com/<organization>`, `…/<owner>/<repository>` or `…/enterprises/<enterprise>`; or on a GHES host. */
  readonly configUrl: string;
  /** The Secret in the namespace that holds the App or token; with `vault`, the name of the vault's secret. */
  readonly secretName: Text;
  /** Changes whenever the credentials do, which restarts the listener: it reads them only as it starts. */
  readonly credentialsVersion?: Text;
  /** The credentials stand in an Azure Key Vault instead of a Secret. Controller and listener must have the certificate mounted. */
  readonly vault?: AzureKeyVault;
  /** The proxy on the way to the vault. */
  readonly vaultProxy?: Proxy;
  /** A runner group that exists. An enterprise's or organization's default group where left out. */
  readonly runnerGroup?: Text;
  /** More labels for `runs-on`, each shorter than 256 characters. GitHub learns them when a set registers: a change replaces it. */
  readonly labels?: readonly string[];
  /** The controller that reconciles the set: its account gets the manager Role. */
  readonly controller: ControllerReference;

  /** The runner image, by digest where possible. */
  readonly image: Text;
  readonly mode: ContainerMode;
  /** Runners that wait for a job; 0 where left out. Beside those at work, up to `maxRunners`. */
  readonly minRunners?: number;
  /** Runners at once. 0 stops the set. The controller's own default is no limit, so this one has none. */
  readonly maxRunners: number;

  /** The Go caches of the runner container. */
  readonly cache?: CacheAttachment;
  /** The address of a buildkitd, such as `tcp://buildkitd.build:1234`: BUILDKIT_HOST of the runner container. */
  readonly buildkit?: Text;
  /** Of mode dind only. */
  readonly dind?: Dind<Text>;
  /** The volume that runner and job pods share: mode kubernetes only, which needs it. */
  readonly workVolumeClaim?: V1PersistentVolumeClaimSpec;
  /** What the pods of jobs look like, kubernetes modes only; the container `$job` stands for the job's own. */
  readonly hookTemplate?: HookTemplate;
  /** Whether jobs without `container:` are refused, kubernetes modes only; true where left out. */
  readonly requireJobContainer?: boolean;
  /** What job hooks may do beyond the Role that they need, kubernetes modes only. */
  readonly kubernetesModeAdditionalRules?: readonly V1PolicyRule[];

  readonly proxy?: Proxy;
  readonly certificateAuthority?: CertificateAuthority;

  /** `restricted` (default in mode none) meets the pod security standard of that name; jobs then have no sudo. */
  readonly podSecurity?: PodSecurity;
  /** A ServiceAccount of yours in the namespace. Neither an account nor a Role for hooks is made then. */
  readonly serviceAccountName?: Text;
  /** What the runner container asks for and may use. */
  readonly resources?: V1ResourceRequirements;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly V1Toleration[];
  /** Tolerate the taints that clouds put on spot nodes. */
  readonly spot?: boolean;
  readonly affinity?: V1Affinity;
  /** The node architecture; any where left out. */
  readonly arch?: "amd64" | "arm64";
  readonly priorityClassName?: string;
  /** For example `kata` or `gvisor`: a kernel of its own for each job. */
  readonly runtimeClassName?: string;
  /** False gives the pod a user namespace: root inside is nobody outside. */
  readonly hostUsers?: boolean;
  /** Keep autoscalers from evicting runner pods. Default: where no runner idles, since an idle one would pin its node. */
  readonly doNotEvict?: boolean;
  /** Environment of the runner container, by name. */
  readonly env?: readonly EnvVar<Text>[];
  readonly podLabels?: Readonly<Record<string, string>>;
  readonly podAnnotations?: Readonly<Record<string, string>>;
  /** Names of the Secrets that pull images. */
  readonly imagePullSecrets?: readonly Text[];
  /** Mounts of the runner container. */
  readonly volumeMounts?: readonly V1VolumeMount[];
  readonly volumes?: readonly V1Volume[];
  /** Containers that run before the runner does, behind those of the mode and the cache. */
  readonly initContainers?: readonly PodContainer<Text>[];
  /** Containers beside the runner. */
  readonly containers?: readonly PodContainer<Text>[];
  /** Fields of the runner container that have no field here. */
  readonly runnerContainer?: RunnerContainerFields;
  /** Fields of the pod that have no field here. */
  readonly pod?: PodFields;

  /** The listener's pod; a container named `listener` adds to the listener's own. */
  readonly listenerTemplate?: V1PodTemplateSpec;
  readonly listenerMetrics?: ListenerMetrics;
  /** Labels and annotations of every object that is made here. */
  readonly everyObject?: ObjectMeta;
  /** Labels and annotations by object, under the official chart's names; also of those that the controller makes. */
  readonly resourceMeta?: Readonly<Partial<Record<ResourceMetaKey, ObjectMeta>>>;
}

/** An environment variable whose value may come from another resource. */
export interface EnvVar<Text> {
  readonly name: string;
  readonly value?: Text | string;
  readonly valueFrom?: NonNullable<NonNullable<V1Container["env"]>[number]["valueFrom"]>;
}

/** A container whose image and environment may come from another resource. */
export interface PodContainer<Text> extends Omit<V1Container, "image" | "env"> {
  readonly image?: Text | string;
  readonly env?: readonly EnvVar<Text>[];
}

export type RunnerContainerFields = Omit<V1Container, "name" | "image" | "env" | "volumeMounts" | "resources">;

export type PodFields = Omit<
  V1PodSpec,
  | "affinity"
  | "containers"
  | "hostUsers"
  | "imagePullSecrets"
  | "initContainers"
  | "nodeName"
  | "nodeSelector"
  | "priorityClassName"
  | "restartPolicy"
  | "runtimeClassName"
  | "serviceAccountName"
  | "tolerations"
  | "volumes"
>;

/** A proxy for controller, listener and runners. */
export interface Proxy {
  readonly http?: ProxyServer;
  readonly https?: ProxyServer;
  readonly noProxy?: readonly string[];
}

export interface ProxyServer {
  readonly url: string;
  /** A Secret with `username` and `password`; with a vault, the name of the vault's secret. */
  readonly credentialSecretRef?: string;
}

/** The certificate authority of a GitHub Enterprise Server. */
export interface CertificateAuthority {
  /** The ConfigMap in the namespace that holds it. */
  readonly configMap: string;
  readonly key: string;
  /** A folder of the runner container; runners trust the authority only where it is given. */
  readonly runnerMountPath?: string;
}

/** What the pods of jobs look like: a pod template of which every field may be missing. */
export interface HookTemplate {
  readonly metadata?: ObjectMeta;
  readonly spec?: Partial<V1PodSpec>;
}

export interface ListenerMetrics {
  readonly counters?: Readonly<Record<string, { readonly labels: readonly string[] }>>;
  readonly gauges?: Readonly<Record<string, { readonly labels: readonly string[] }>>;
  readonly histograms?: Readonly<
    Record<string, { readonly labels: readonly string[]; readonly buckets?: readonly number[] }>
  >;
}

export interface ObjectMeta {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type ResourceMetaKey = OwnMetaKey | keyof typeof CONTROLLER_OBJECTS;

/** Objects that are made here. */
export type OwnMetaKey =
  | "autoscalingRunnerSet"
  | "hookTemplate"
  | "kubernetesModeRole"
  | "kubernetesModeRoleBinding"
  | "kubernetesModeServiceAccount"
  | "managerRole"
  | "managerRoleBinding"
  | "noPermissionServiceAccount";

/** Objects that the controller makes, and the field of the spec where it reads what they carry. */
export const CONTROLLER_OBJECTS = {
  autoscalingListener: "autoscalingListener",
  listenerServiceAccount: "listenerServiceAccountMetadata",
  listenerRole: "listenerRoleMetadata",
  listenerRoleBinding: "listenerRoleBindingMetadata",
  listenerConfigSecret: "listenerConfigSecretMetadata",
  ephemeralRunnerSet: "ephemeralRunnerSetMetadata",
  ephemeralRunner: "ephemeralRunnerMetadata",
  ephemeralRunnerConfigSecret: "ephemeralRunnerConfigSecretMetadata",
} as const;

export type ControllerObjectField = (typeof CONTROLLER_OBJECTS)[keyof typeof CONTROLLER_OBJECTS];
