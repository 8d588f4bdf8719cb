import { request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { KubeConfig, User } from "@kubernetes/client-node";
import { KilnError } from "../../errors.ts";
import { readExecCredential, type ExecPlugin } from "./exec-credential.ts";

/** An API server, and who asks it. */
export interface ClusterConnection {
  readonly server: string;
  readonly user: string;
  /** The status and the object that it answers with. Throws an `unreachable` error where it does not answer in time. */
  readonly request: (method: "GET" | "POST", path: string, body?: unknown) => Promise<ClusterAnswer>;
}

export interface ClusterAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ConnectionOptions {
  /** Of the kubeconfig; its current one where undefined. */
  readonly context?: string | undefined;
  /** How long the credential plugin, and each answer, may take. */
  readonly timeoutMs: number;
}

/** What the client falls back to where it finds no kubeconfig at all. */
const NO_KUBECONFIG = "http://localhost:8080";

/**
 * The cluster of the kubeconfig: KUBECONFIG, `~/.kube/config`, or the service account of the pod that this runs in. Throws an
 * `unreachable` error with the reason as the rest of a sentence; it never repeats what a kubeconfig holds.
 */
export async function connectCluster({ context, timeoutMs }: ConnectionOptions): Promise<ClusterConnection> {
  // Megabytes of generated types, which only those who ask a cluster should wait for.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  loadKubeconfig(config, context);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null || user === null) {
    throw unreachable(`the context ${config.getCurrentContext()} names no cluster or user of the kubeconfig`);
  }
  if (cluster.server === NO_KUBECONFIG && cluster.name === "cluster") {
    throw unreachable("there is no kubeconfig: KUBECONFIG is not set and ~/.kube/config does not exist");
  }
  if (cluster.server.startsWith("http:") && !cluster.skipTLSVerify) {
    throw unreachable(`${cluster.server} is plain HTTP, over which no credentials are sent`);
  }
  config.loadFromClusterAndUser(cluster, await signedIn(user, timeoutMs));
  const options = await requestOptions(config);
  return {
    server: cluster.server,
    user: user.name,
    request: (method, path, body) =>
      send(`${cluster.server.replace(/\/$/, "")}${path}`, { ...options, method }, body, timeoutMs),
  };
}

function loadKubeconfig(config: KubeConfig, context: string | undefined): void {
  try {
    config.loadFromDefault();
  } catch (error) {
    // The message of a YAML error shows the lines around it, and with them keys and tokens.
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const file = process.env.KUBECONFIG ?? "~/.kube/config";
    throw unreachable(`the kubeconfig ${file} ${missing ? "does not exist" : "cannot be read"}`);
  }
  if (context === undefined) return;
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context)) {
    throw unreachable(
      `the kubeconfig has no context ${context}${names.length === 0 ? "" : `, but ${names.join(", ")}`}`,
    );
  }
  config.setCurrentContext(context);
}

/** The user with what its credential plugin answers, where it has one. */
async function signedIn(user: User, timeoutMs: number): Promise<User> {
  const plugin = user.exec as ExecPlugin | undefined;
  if (plugin === undefined) return user;
  const { token, clientCertificateData, clientKeyData } = await readExecCredential(plugin, timeoutMs);
  const encoded = (pem: string) => Buffer.from(pem).toString("base64");
  return {
    name: user.name,
    ...(token === undefined ? {} : { token }),
    ...(clientCertificateData === undefined ? {} : { certData: encoded(clientCertificateData) }),
    ...(clientKeyData === undefined ? {} : { keyData: encoded(clientKeyData) }),
  };
}

/** Certificates, keys and tokens may be files of their own, and proxies have addresses: all of them may be wrong. */
async function requestOptions(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    const what = path === undefined ? "the credentials of the kubeconfig" : `${path}, which the kubeconfig names,`;
    throw unreachable(`${what} cannot be used${code === undefined ? "" : ` (${code})`}`);
  }
  return options;
}

function send(url: string, options: RequestOptions, body: unknown, timeoutMs: number): Promise<ClusterAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const own = options.headers as OutgoingHttpHeaders | undefined;
  const headers = { ...own, accept: "application/json", "content-type": "application/json" };
  const start = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      reject(unreachable(`${new URL(url).origin} ${reasonOf(error, timeoutMs)}`));
    };
    const signal = AbortSignal.timeout(timeoutMs);
    const call = start(url, { ...options, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()) });
      });
    });
    call.on("error", fail);
    call.end(text);
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections",
  ECONNRESET: "breaks connections off",
  EHOSTUNREACH: "cannot be reached from here",
  ENETUNREACH: "cannot be reached from here",
  ENOTFOUND: "has a name that cannot be resolved",
  EAI_AGAIN: "has a name that cannot be resolved",
  DEPTH_ZERO_SELF_SIGNED_CERT: "has a certificate that the kubeconfig does not trust",
  SELF_SIGNED_CERT_IN_CHAIN: "has a certificate that the kubeconfig does not trust",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "has a certificate that the kubeconfig does not trust",
  CERT_HAS_EXPIRED: "has a certificate that has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "has a certificate for another name",
};

function reasonOf(error: Error & { code?: unknown }, timeoutMs: number): string {
  if (error.name === "TimeoutError" || error.name === "AbortError")
    return `did not answer within ${timeoutMs / 1000} s`;
  const code = String(error.code);
  return REASONS[code] ?? `cannot be talked to (${code})`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function unreachable(reason: string): KilnError {
  return new KilnError("unreachable", reason);
}
