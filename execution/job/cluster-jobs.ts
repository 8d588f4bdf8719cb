import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import type { CoreV1Event, KubeConfig, KubernetesObject, V1Job, V1Pod } from "@kubernetes/client-node";
import { KilnError, messageOf } from "../../errors.ts";

/** The few things that a job needs of a cluster. Each throws a KilnError with what the API server said. */
export interface ClusterJobs {
  /** The namespace of the kubeconfig's context. */
  readonly namespace: string;
  create(object: object): Promise<KubernetesObject>;
  /** Ends a Job's pod as its grace says, and the Job with it: it never gets another, and goes when its time to stay is over. */
  end(name: string, namespace: string): Promise<void>;
  remove(kind: "Job" | "Secret", name: string, namespace: string): Promise<void>;
  /** The pod of the Job with this uid; undefined before there is one, and after it went. */
  pod(job: string, namespace: string): Promise<V1Pod | undefined>;
  job(name: string, namespace: string): Promise<V1Job | undefined>;
  /** All Jobs with these labels. */
  jobs(labels: Readonly<Record<string, string>>, namespace: string): Promise<readonly V1Job[]>;
  /** What the cluster said about the object with this uid. */
  events(uid: string, namespace: string): Promise<readonly CoreV1Event[]>;
  /**
   * Gives the lines of a pod's log from its first on, until the container ends or `until` does. Throws where the connection
   * breaks before that. One that ends without a word proves nothing: an API server may end it so where a node goes away.
   */
  follow(pod: string, namespace: string, onLine: (line: string) => void, until: AbortSignal): Promise<void>;
}

const API = { Job: "batch/v1", Secret: "v1" } as const;

/** The cluster of the kubeconfig (KUBECONFIG, `~/.kube/config`, or the pod that this runs in). */
export async function connectClusterJobs(context?: string): Promise<ClusterJobs> {
  // Megabytes of generated types, which only those who ask a cluster should wait for.
  const { BatchV1Api, CoreV1Api, KubeConfig, KubernetesObjectApi, Log } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  load(config, context);
  const objects = KubernetesObjectApi.makeApiClient(config);
  const core = config.makeApiClient(CoreV1Api);
  const batch = config.makeApiClient(BatchV1Api);
  const log = new Log(config);
  return {
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
    create: (object) => asked("create", objects.create(object as KubernetesObject)),
    async end(name, namespace) {
      // Not by suspending it: a suspended Job has no deadline and never goes by itself, should nobody come to remove it.
      const body = [{ op: "add", path: "/spec/activeDeadlineSeconds", value: 1 }];
      await asked("change", batch.patchNamespacedJob({ name, namespace, body }));
    },
    async remove(kind, name, namespace) {
      const object = { apiVersion: API[kind], kind, metadata: { name, namespace } };
      await asked("delete", found(objects.delete(object, undefined, undefined, undefined, undefined, "Background")));
    },
    async pod(job, namespace) {
      const list = core.listNamespacedPod({ namespace, labelSelector: `batch.kubernetes.io/controller-uid=${job}` });
      return (await asked("read", list)).items[0];
    },
    job: (name, namespace) => asked("read", found(batch.readNamespacedJob({ name, namespace }))),
    async jobs(labels, namespace) {
      const labelSelector = Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(",");
      return (await asked("read", batch.listNamespacedJob({ namespace, labelSelector }))).items;
    },
    async events(uid, namespace) {
      const list = core.listNamespacedEvent({ namespace, fieldSelector: `involvedObject.uid=${uid}` });
      return (await asked("read", list)).items;
    },
    async follow(pod, namespace, onLine, until) {
      const stream = new PassThrough();
      const lines = createInterface({ input: stream });
      lines.on("line", onLine);
      const ended = new Promise<void>((resolve) => lines.once("close", resolve));
      // What the client reads from fails when the connection does, or is given up. Nobody else listens: Node would end.
      let broken: unknown;
      stream.once("pipe", (source) => {
        source.once("error", (error: unknown) => {
          broken = error;
          stream.end();
        });
      });
      const request = await asked("read the log of", log.log(namespace, pod, "job", stream, { follow: true }));
      const stop = () => {
        request.abort();
        stream.end();
      };
      if (until.aborted) stop();
      else until.addEventListener("abort", stop, { once: true });
      await ended;
      until.removeEventListener("abort", stop);
      if (broken === undefined || until.aborted) return;
      throw new KilnError("unreachable", `the log of the pod broke off: ${messageOf(broken)}`, { cause: broken });
    },
  };
}

function load(config: KubeConfig, context: string | undefined): void {
  try {
    config.loadFromDefault();
    if (context !== undefined) config.setCurrentContext(context);
  } catch {
    // The message of a YAML error shows the lines around it, and with them keys and tokens.
    throw new KilnError("unreachable", "the kubeconfig cannot be read", {
      mend: "Check KUBECONFIG and ~/.kube/config.",
    });
  }
  if (config.getCurrentCluster() !== null) return;
  const named = context ?? config.getCurrentContext();
  throw new KilnError("unreachable", `the kubeconfig has no context ${named} with a cluster`, {
    mend: "Check KUBECONFIG, or name a context with --context.",
  });
}

/** Undefined where the object is not there. */
async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    throw error;
  }
}

async function asked<T>(what: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    const code = codeOf(cause);
    if (code === undefined || code === 429 || code >= 500) {
      throw new KilnError("unreachable", `the cluster does not answer: ${said(cause)}`, { cause });
    }
    throw new KilnError("failed", `the cluster refuses to ${what} the job's objects (${code}): ${said(cause)}`, {
      cause,
    });
  }
}

function codeOf(error: unknown): number | undefined {
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === "number" ? code : undefined;
}

/** The API server's own words. */
function said(error: unknown): string {
  const body = (error as { readonly body?: unknown }).body;
  try {
    const status = (typeof body === "string" ? JSON.parse(body) : body) as { readonly message?: unknown } | undefined;
    return typeof status?.message === "string" ? status.message : messageOf(error);
  } catch {
    return messageOf(error);
  }
}
