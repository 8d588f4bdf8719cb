import type { V1PodSpec } from "@kubernetes/client-node";
import type { ContainerMode } from "../../runners/scale-set/container-mode.ts";
import { givenFields } from "../../runners/given-fields.ts";
import type { PodContainer, ScaleSetRequest } from "../../runners/scale-set/request.ts";

/** The values of the official chart `gha-runner-scale-set`, as far as the golden files use them. */
export interface ChartValues {
  readonly githubConfigUrl: string;
  readonly githubConfigSecret: string | Readonly<Record<string, string>>;
  readonly runnerScaleSetName: string;
  readonly runnerGroup?: string;
  readonly scaleSetLabels?: readonly string[];
  readonly minRunners?: number;
  readonly maxRunners: number;
  readonly containerMode?: {
    readonly type?: ContainerMode;
    readonly kubernetesModeWorkVolumeClaim?: ScaleSetRequest<string>["workVolumeClaim"];
  };
  readonly controllerServiceAccount: { readonly namespace: string; readonly name: string };
  readonly proxy?: ScaleSetRequest<string>["proxy"];
  readonly githubServerTLS?: {
    readonly certificateFrom: { readonly configMapKeyRef: { readonly name: string; readonly key: string } };
    readonly runnerMountPath?: string;
  };
  readonly keyVault?: {
    readonly azureKeyVault: NonNullable<ScaleSetRequest<string>["vault"]>;
    readonly proxy?: ScaleSetRequest<string>["proxy"];
  };
  readonly listenerTemplate?: ScaleSetRequest<string>["listenerTemplate"];
  readonly listenerMetrics?: ScaleSetRequest<string>["listenerMetrics"];
  readonly resourceMeta?: ScaleSetRequest<string>["resourceMeta"];
  readonly template?: { readonly spec: V1PodSpec };
}

/** What those values say, as a request of ours. */
export function requestOfValues(values: ChartValues): ScaleSetRequest<string> {
  const { containerMode, controllerServiceAccount: account, githubConfigSecret: secret, keyVault } = values;
  const { containers = [], volumes, nodeSelector, tolerations, ...pod } = values.template?.spec ?? {};
  const runner = containers.find(({ name }) => name === "runner");
  const tls = values.githubServerTLS;
  const { env, volumeMounts, resources } = (runner ?? {}) as PodContainer<string>;
  return {
    namespace: "runners",
    scaleSetName: values.runnerScaleSetName,
    configUrl: values.githubConfigUrl,
    secretName: typeof secret === "string" ? secret : `${values.runnerScaleSetName}-gha-rs-github-secret`,
    credentialsVersion: "0".repeat(64),
    controller: { namespace: account.namespace, serviceAccount: account.name, version: "0.14.2" },
    image: runner?.image ?? "ghcr.io/actions/actions-runner:latest",
    mode: containerMode?.type ?? "none",
    maxRunners: values.maxRunners,
    pod,
    ...givenFields({
      minRunners: values.minRunners,
      runnerGroup: values.runnerGroup,
      labels: values.scaleSetLabels,
      workVolumeClaim: containerMode?.kubernetesModeWorkVolumeClaim,
      proxy: values.proxy,
      vault: keyVault?.azureKeyVault,
      vaultProxy: keyVault?.proxy,
      certificateAuthority: tls && {
        configMap: tls.certificateFrom.configMapKeyRef.name,
        key: tls.certificateFrom.configMapKeyRef.key,
        ...givenFields({ runnerMountPath: tls.runnerMountPath }),
      },
      listenerTemplate: values.listenerTemplate,
      listenerMetrics: values.listenerMetrics,
      resourceMeta: values.resourceMeta,
      env,
      volumeMounts,
      resources,
      volumes,
      nodeSelector,
      tolerations,
    }),
  };
}
