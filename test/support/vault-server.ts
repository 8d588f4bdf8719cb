import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { text as textOf } from "node:stream/consumers";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool, type ResolvedTool } from "../../toolchain/resolve.ts";
import { BackgroundProcess } from "./background-process.ts";
import { freePort } from "./checkout.ts";
import { builds } from "./control-plane.ts";
import { isExtended } from "./extended.ts";

/** What Vault answers: the status code, and the document that it sends. */
export interface VaultAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** The `data` of it, empty where there is none. */
  readonly data: Record<string, unknown>;
}

export interface VaultCall {
  /** Who asks; root when absent. */
  readonly token?: string;
  /** How long the answer stays wrapped, such as `60s`. */
  readonly wrap?: string;
}

const READY_MS = 60_000;

/** Vault itself, which is built once a machine; or why there is none, as a text. */
export async function vaultOrReason(): Promise<ResolvedTool | string> {
  if (!isExtended) return "only npm run test:extended runs Vault: it is built, once a machine";
  try {
    return await resolveTool("vault", { places: places(), progress: builds });
  } catch (error) {
    if (!(error instanceof KilnError && error.kind === "unreachable")) throw error;
    return `Vault cannot be had here: ${messageOf(error)}`;
  }
}

/** A dev server of Vault, in memory, with TLS, on one address of this machine. */
export class VaultServer {
  readonly address: string;
  /** The certificate of the authority that its own is of. */
  readonly caFile: string;
  readonly #certificate: Buffer;
  readonly #root: string;
  readonly #child: BackgroundProcess;

  private constructor(address: string, caFile: string, certificate: Buffer, root: string, child: BackgroundProcess) {
    this.address = address;
    this.caFile = caFile;
    this.#certificate = certificate;
    this.#root = root;
    this.#child = child;
  }

  /** Starts one in a folder of its own below `directory`; takes a second. */
  static async start(vault: ResolvedTool, directory: string, host: string): Promise<VaultServer> {
    const home = path.join(directory, "vault");
    await mkdir(home, { mode: 0o700 });
    const [listen, root] = [`${host}:${await freePort()}`, `root-${randomBytes(12).toString("hex")}`];
    const args = ["-dev", "-dev-tls", `-dev-tls-cert-dir=${home}`, "-dev-no-store-token"];
    const env = { ...process.env, HOME: home, VAULT_DEV_LISTEN_ADDRESS: listen, VAULT_DEV_ROOT_TOKEN_ID: root };
    const child = new BackgroundProcess(vault.path, ["server", ...args], path.join(home, "vault.log"), env);
    const caFile = path.join(home, "vault-ca.pem");
    const found = async () => {
      const certificate = await readFile(caFile);
      const server = new VaultServer(`https://${listen}`, caFile, certificate, root, child);
      return (await server.call("GET", "sys/health")).status === 200 ? server : undefined;
    };
    let server: VaultServer | undefined;
    const isReady = async () => (server = await found().catch(() => undefined)) !== undefined;
    await child.waitUntil(isReady, READY_MS).catch(async (error: unknown) => {
      await child.stop();
      throw error;
    });
    if (server === undefined) throw new Error("Vault is ready, and there is no server");
    return server;
  }

  /** One call below `/v1/`, whatever its status. */
  async call(method: string, at: string, body?: unknown, { token, wrap }: VaultCall = {}): Promise<VaultAnswer> {
    const headers = {
      "X-Vault-Token": token ?? this.#root,
      ...(wrap === undefined ? {} : { "X-Vault-Wrap-TTL": wrap }),
    };
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const options = { method, headers, ca: this.#certificate, agent: false };
      const request = httpsRequest(`${this.address}/v1/${at}`, options, (response) => {
        textOf(response).then((text) => {
          resolve({ status: response.statusCode ?? 0, text });
        }, reject);
      });
      request.once("error", reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
    const answer = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status, body: answer, data: (answer.data ?? {}) as Record<string, unknown> };
  }

  /** The same; throws where Vault refuses. */
  async done(method: string, at: string, body?: unknown, call: VaultCall = {}): Promise<VaultAnswer> {
    const answer = await this.call(method, at, body, call);
    if (answer.status < 300) return answer;
    throw new Error(`${method} ${at}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** Ids of the leases below a path: none where Vault knows no such path. */
  async leases(below: string): Promise<readonly string[]> {
    const { data } = await this.call("LIST", `sys/leases/lookup/${below}`);
    return ((data.keys ?? []) as readonly string[]).map((key) => `${below}/${key}`);
  }

  /** Ends it. */
  stop(): Promise<void> {
    return this.#child.stop();
  }
}
