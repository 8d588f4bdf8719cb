import type { V1PodTemplateSpec } from "@kubernetes/client-node";
import { parseConfigUrl } from "./config-url.ts";
import type { AzureKeyVault } from "../namespace/credentials.ts";
import { givenFields } from "../given-fields.ts";
import type { PodTemplate } from "./pod-template.ts";
import { podTemplate } from "./pod-template.ts";
import type { Metadata } from "./labels.ts";
import { metadataOf, VALUES_HASH } from "./labels.ts";
import type {
  CertificateAuthority,
  ControllerObjectField,
  ListenerMetrics,
  ObjectMeta,
  Proxy,
  ScaleSetRequest,
} from "./request.ts";
import { CONTROLLER_OBJECTS } from "./request.ts";

/** The custom resource that the controller turns into a listener, runners and a scale set at GitHub. */
export interface AutoscalingRunnerSet<Text> {
  readonly apiVersion: "actions.github.com/v1alpha1";
  readonly kind: "AutoscalingRunnerSet";
  readonly metadata: Metadata<Text>;
  readonly spec: AutoscalingRunnerSetSpec<Text>;
}

/** Its spec, in the field names of the CRD. */
export interface AutoscalingRunnerSetSpec<Text> extends Readonly<Partial<Record<ControllerObjectField, ObjectMeta>>> {
  readonly githubConfigUrl: string;
  readonly githubConfigSecret: Text;
  readonly runnerScaleSetName: string;
  readonly maxRunners: number;
  readonly minRunners?: number;
  readonly template: PodTemplate<Text>;
  readonly runnerGroup?: Text;
  readonly runnerScaleSetLabels?: readonly string[];
  readonly githubServerTLS?: ReturnType<typeof serverTls>;
  readonly vaultConfig?: ReturnType<typeof vaultConfig>;
  readonly proxy?: Proxy;
  readonly listenerTemplate?: V1PodTemplateSpec;
  readonly listenerMetrics?: ListenerMetrics;
}

/**
 * How Pulumi deletes the set: as Helm does. In the foreground, its own way, the garbage collector would end the pods of running
 * jobs, which the controller lets end first.
 */
const LEAVES_RUNNERS_TO_CONTROLLER = { "pulumi.com/deletionPropagationPolicy": "background" } as const;

/** The AutoscalingRunnerSet of a request that `requireScaleSet` has checked. */
export function autoscalingRunnerSet<Text>(request: ScaleSetRequest<Text>): AutoscalingRunnerSet<Text> {
  const metadata = metadataOf(request, {
    name: request.scaleSetName,
    key: "autoscalingRunnerSet",
    component: "autoscaling-runner-set",
  });
  const { credentialsVersion } = request;
  const restarts = credentialsVersion === undefined ? {} : { [VALUES_HASH]: credentialsVersion };
  const annotations = { ...metadata.annotations, ...restarts, ...LEAVES_RUNNERS_TO_CONTROLLER };
  return {
    apiVersion: "actions.github.com/v1alpha1",
    kind: "AutoscalingRunnerSet",
    metadata: { ...metadata, annotations },
    spec: scaleSetSpec(request),
  };
}

function scaleSetSpec<Text>(request: ScaleSetRequest<Text>): AutoscalingRunnerSetSpec<Text> {
  const { certificateAuthority, vault, vaultProxy } = request;
  return {
    githubConfigUrl: parseConfigUrl(request.configUrl, "configUrl").url,
    githubConfigSecret: request.secretName,
    runnerScaleSetName: request.scaleSetName,
    maxRunners: request.maxRunners,
    ...givenFields({
      minRunners: request.minRunners,
      runnerGroup: request.runnerGroup,
      runnerScaleSetLabels: request.labels,
      githubServerTLS: certificateAuthority === undefined ? undefined : serverTls(certificateAuthority),
      vaultConfig: vault === undefined ? undefined : vaultConfig(vault, vaultProxy),
      proxy: request.proxy,
      listenerTemplate: request.listenerTemplate,
      listenerMetrics: request.listenerMetrics,
    }),
    ...controllerObjectsMeta(request.resourceMeta ?? {}),
    template: podTemplate(request),
  };
}

function serverTls({ configMap, key }: CertificateAuthority) {
  return { certificateFrom: { configMapKeyRef: { name: configMap, key } } };
}

/** In the CRD's field names. The official chart adds a field `secretKey`, which the CRD does not have. */
function vaultConfig({ url, tenantId, clientId, certificatePath }: AzureKeyVault, proxy: Proxy | undefined) {
  return {
    type: "azure_key_vault",
    azureKeyVault: { url, tenantId, clientId, certificatePath },
    ...givenFields({ proxy }),
  };
}

/** What the controller's own objects carry, under the fields where it reads that. */
function controllerObjectsMeta(meta: NonNullable<ScaleSetRequest<unknown>["resourceMeta"]>) {
  const keys = Object.keys(CONTROLLER_OBJECTS) as (keyof typeof CONTROLLER_OBJECTS)[];
  const entries = keys.map((key) => [CONTROLLER_OBJECTS[key], meta[key]] as const);
  return givenFields(Object.fromEntries(entries) as Partial<Record<ControllerObjectField, ObjectMeta>>);
}
