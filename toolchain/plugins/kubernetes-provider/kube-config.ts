import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf } from "../../../errors.ts";

/** The settings of a `kubernetes.Provider` that say which cluster is meant. */
export interface ClusterChoice {
  /** The text of a kubeconfig, or the path of one. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
}

/** Where a program that runs inside a cluster finds who it is. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * The connection that a provider means: its own kubeconfig, else KUBECONFIG, else `~/.kube/config`, else the cluster that
 * this process runs in. Gives the reason instead where there is none of these, or where it cannot be read.
 */
export async function readKubeConfig(choice: ClusterChoice, env = process.env): Promise<KubeConfig | string> {
  const source = sourceOf(choice, env);
  if (source === undefined)
    return "no kubeconfig: the provider has none, KUBECONFIG is not set, ~/.kube/config is not there";
  // The client brings a thousand generated models: a preview without a cluster shall not wait for them.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    if (source.kind === "text") config.loadFromString(source.text);
    else if (source.kind === "file") config.loadFromFile(source.file);
    else config.loadFromDefault();
    if (choice.context !== undefined) config.setCurrentContext(choice.context);
    const context = config.getContextObject(config.getCurrentContext());
    if (context && choice.cluster !== undefined) Object.assign(context, { cluster: choice.cluster });
    if (config.getCurrentCluster() !== null) return config;
    return `the kubeconfig has no context ${JSON.stringify(config.getCurrentContext())} with a cluster`;
  } catch (error) {
    return `the kubeconfig cannot be read: ${messageOf(error)}`;
  }
}

type Source =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "ambient" };

function sourceOf({ kubeconfig }: ClusterChoice, env: NodeJS.ProcessEnv): Source | undefined {
  if (kubeconfig !== undefined && kubeconfig !== "") {
    return existsSync(kubeconfig) ? { kind: "file", file: kubeconfig } : { kind: "text", text: kubeconfig };
  }
  const isSet = env.KUBECONFIG !== undefined && env.KUBECONFIG !== "";
  const isHere = isSet || existsSync(path.join(homedir(), ".kube/config")) || existsSync(SERVICE_ACCOUNT);
  return isHere ? { kind: "ambient" } : undefined;
}
