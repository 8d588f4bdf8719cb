import type { ClusterChoice } from "./kube-config.ts";
import type { Properties } from "../property-values.ts";
import type { Mutability } from "./replaced-fields.ts";

/** What a `kubernetes.Provider` may be given here. Every other option of the official plugin is accepted and has no effect. */
export interface ProviderSettings {
  readonly cluster: ClusterChoice;
  /** The namespace of objects that name none; that of the context when absent. */
  readonly namespace: string | undefined;
  readonly mutable: Mutability;
  /** Whether to take over what is in the cluster already; an error otherwise, as the official plugin has it since 4.28. */
  readonly upserts: boolean;
}

/** The settings in a provider's configuration, whose values Pulumi gives as text; variables decide what it leaves open. */
export function providerSettings(given: Properties, env: NodeJS.ProcessEnv): ProviderSettings {
  const text = (name: string) => {
    const value = given[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const flag = (name: string, variable: string) => [true, "true"].includes((given[name] ?? env[variable]) as string);
  return {
    upserts: flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
    cluster: { kubeconfig: text("kubeconfig"), context: text("context"), cluster: text("cluster") },
    namespace: text("namespace"),
    mutable: {
      configMaps: flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
      secrets: flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
    },
  };
}
