import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { silent, type Progress } from "../../progress.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTools } from "../../toolchain/resolve.ts";
import { BackgroundProcess } from "./background-process.ts";
import { freePort } from "./checkout.ts";

/** What the API server answers: the status code, and the object or the `Status` that it sends. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A Kubernetes API of its own: etcd, kube-apiserver and kube-controller-manager, without any node. */
export interface ControlPlane {
  /** A kubeconfig file of a cluster administrator. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:port`. */
  readonly address: string;
  /** Where its files are, and where a node that joins it may put its own. */
  readonly directory: string;
  /** Asks the API server, as the administrator or as another user of `writeKubeconfig`. A `body` is sent as JSON. */
  request(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<ApiAnswer>;
  /** A kubeconfig file of the user `stranger`, who may do only what an RBAC binding to that name says. */
  kubeconfigFor(user: "stranger"): Promise<string>;
  /** Ends the three processes and takes their files away. */
  stop(): Promise<void>;
}

export interface RequestOptions {
  /** `application/json` when absent. */
  readonly contentType?: string;
  readonly user?: "admin" | "stranger";
}

const READY_MS = 60_000;

/** Building the tools takes some minutes, once a machine: then the test run says what it does. */
export const builds: Progress = {
  ...silent,
  step(text) {
    console.warn(text);
  },
};

/**
 * Starts a real Kubernetes control plane on free loopback ports, with data in memory or a temporary directory: about two
 * seconds and 500 MB of memory. The controller manager is the real one, so that namespaces end, owners' children are
 * collected, claims are protected and Deployments count their pods as in any cluster.
 */
export async function startControlPlane(): Promise<ControlPlane> {
  const tools = await resolveTools(["etcd", "kube-apiserver", "kube-controller-manager"], {
    places: places(),
    progress: builds,
  });
  const directory = await mkdtemp(path.join(tmpdir(), "kiln-control-plane-"));
  const started: BackgroundProcess[] = [];
  const stop = async () => {
    for (const child of started.reverse()) await child.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const start = async (tool: keyof typeof tools, args: readonly string[], ready: () => Promise<boolean>) => {
    const child = new BackgroundProcess(tools[tool].path, args, path.join(directory, `${tool}.log`));
    started.push(child);
    await child.waitUntil(ready, READY_MS);
  };
  try {
    const credentials = await writeCredentials(directory);
    const [clientPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    const etcd = `http://127.0.0.1:${clientPort}`;
    await start("etcd", etcdArguments(directory, etcd, `http://127.0.0.1:${peerPort}`), () =>
      answers(`${etcd}/health`),
    );
    const address = `https://127.0.0.1:${port}`;
    const certificate = path.join(directory, "apiserver.crt");
    const ask: ControlPlane["request"] = async (method, at, body, { contentType, user = "admin" } = {}) =>
      send(
        { method, url: address + at, token: credentials[user], certificate: await readFile(certificate) },
        body,
        contentType,
      );
    const isReady = () =>
      ask("GET", "/readyz").then(
        ({ status }) => status === 200,
        () => false,
      );
    await start("kube-apiserver", apiServerArguments(directory, port, etcd), isReady);
    const kubeconfigFor = async (user: "admin" | "stranger") => {
      const file = path.join(directory, `${user}.kubeconfig`);
      await writeFile(file, kubeconfigText(address, certificate, credentials[user]), { mode: 0o600 });
      return file;
    };
    const kubeconfig = await kubeconfigFor("admin");
    const controllers = async () =>
      (await ask("GET", "/api/v1/namespaces/default/serviceaccounts/default")).status === 200;
    await start("kube-controller-manager", controllerManagerArguments(directory, kubeconfig), controllers);
    return { kubeconfig, address, directory, request: ask, kubeconfigFor, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Tokens by user, and the key that service-account tokens are signed with. */
async function writeCredentials(directory: string): Promise<Readonly<Record<"admin" | "stranger", string>>> {
  const tokens = { admin: randomBytes(16).toString("hex"), stranger: randomBytes(16).toString("hex") };
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const users = `${tokens.admin},admin,admin,"system:masters"\n${tokens.stranger},stranger,stranger\n`;
  await writeFile(path.join(directory, "tokens.csv"), users, { mode: 0o600 });
  await writeFile(path.join(directory, "service-accounts.key"), privateKey, { mode: 0o600 });
  return tokens;
}

function etcdArguments(directory: string, clients: string, peers: string): string[] {
  return [
    `--data-dir=${path.join(directory, "etcd")}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    // Nothing of it has to outlive the machine, and syncing to disk is most of what a write costs.
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

function apiServerArguments(directory: string, port: number, etcd: string): string[] {
  const key = path.join(directory, "service-accounts.key");
  return [
    `--etcd-servers=${etcd}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    // Without a certificate of its own it makes one for its address, here.
    `--cert-dir=${directory}`,
    `--token-auth-file=${path.join(directory, "tokens.csv")}`,
    "--authorization-mode=Node,RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-cluster-ip-range=10.97.0.0/24",
    "--allow-privileged=true",
    "--endpoint-reconciler-type=none",
    "--profiling=false",
  ];
}

function controllerManagerArguments(directory: string, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${path.join(directory, "service-accounts.key")}`,
    `--root-ca-file=${path.join(directory, "apiserver.crt")}`,
    "--use-service-account-credentials",
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    "--secure-port=0",
    "--profiling=false",
  ];
}

function kubeconfigText(address: string, certificate: string, token: string): string {
  const named = { name: "test" };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ ...named, cluster: { server: address, "certificate-authority": certificate } }],
    users: [{ ...named, user: { token } }],
    contexts: [{ ...named, context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

function send(
  to: { readonly method: string; readonly url: string; readonly token: string; readonly certificate: Buffer },
  body: unknown,
  contentType = "application/json",
): Promise<ApiAnswer> {
  const headers = { authorization: `Bearer ${to.token}`, "content-type": contentType, accept: "application/json" };
  return new Promise((resolve, reject) => {
    const call = httpsRequest(to.url, { method: to.method, headers, ca: to.certificate }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()) });
      });
    });
    call.once("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Some addresses, such as `/readyz`, answer plain text. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}
