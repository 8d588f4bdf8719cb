import * as http from "node:http";
import * as https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf } from "../../../errors.ts";
import { ApiRefusal, Unreachable, type ApiAnswer } from "./api-answer.ts";
import type { KubeObject } from "./kube-object.ts";
import type { Properties } from "../property-values.ts";
import { isObject } from "./secret-paths.ts";

/** Where the objects of a kind stand below the API server's address. */
export interface ApiResource {
  readonly apiVersion: string;
  /** `configmaps`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface Call {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** How long a request may take. An API server that is there answers in milliseconds. */
const ANSWER_MS = 30_000;

/** An API server, asked one request at a time. Nothing is retried here. */
export class Cluster {
  /** `https://host:port`. */
  readonly address: string;
  /** The namespace of the context, which takes objects that name none. */
  readonly namespace: string;
  readonly #config: KubeConfig;
  readonly #groups = new Map<string, Promise<readonly Properties[]>>();

  constructor(config: KubeConfig) {
    this.#config = config;
    this.address = config.getCurrentCluster()?.server ?? "";
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? "default";
  }

  /** Asks, and gives the answer whatever its status. Throws `Unreachable` where none comes. */
  async ask(method: string, path: string, call: Call = {}, timeoutMs = ANSWER_MS): Promise<ApiAnswer> {
    const url = new URL(this.address.replace(/\/$/, "") + path);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    const options: https.RequestOptions = {
      method,
      timeout: timeoutMs,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: "application/json", "content-type": call.contentType ?? "application/json" },
    };
    try {
      await this.#config.applyToHTTPSOptions(options);
      return await send(url, options, call.body);
    } catch (error) {
      throw new Unreachable(`the API server at ${this.address} cannot be reached: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Asks, and throws an `ApiRefusal` for anything but success. */
  async must(method: string, path: string, call: Call = {}): Promise<KubeObject> {
    const answer = await this.ask(method, path, call);
    if (answer.status >= 400) throw new ApiRefusal(answer);
    return answer.body as KubeObject;
  }

  /** The resource of a kind, or undefined where the server has no such kind now: it is asked again each time. */
  async resourceOf(apiVersion: string, kind: string): Promise<ApiResource | undefined> {
    const found = await this.#listed(apiVersion, kind);
    if (found !== undefined) return found;
    this.#groups.delete(apiVersion);
    return this.#listed(apiVersion, kind);
  }

  async #listed(apiVersion: string, kind: string): Promise<ApiResource | undefined> {
    const listing = this.#groups.get(apiVersion) ?? this.#list(apiVersion);
    this.#groups.set(apiVersion, listing);
    listing.catch(() => this.#groups.delete(apiVersion));
    const entry = (await listing).find(({ kind: listed, name }) => listed === kind && !String(name).includes("/"));
    return entry && { apiVersion, plural: String(entry.name), namespaced: entry.namespaced === true };
  }

  async #list(apiVersion: string): Promise<readonly Properties[]> {
    const answer = await this.ask("GET", groupPath(apiVersion));
    if (answer.status === 404) return [];
    if (answer.status >= 400) throw new ApiRefusal(answer);
    return Array.isArray(answer.body.resources) ? answer.body.resources.filter(isObject) : [];
  }
}

/** The address of one object of a resource. */
export function objectPath({ apiVersion, plural, namespaced }: ApiResource, { name, namespace }: ObjectNames): string {
  const within = namespaced ? `/namespaces/${encodeURIComponent(namespace ?? "default")}` : "";
  return `${groupPath(apiVersion)}${within}/${plural}/${encodeURIComponent(name)}`;
}

export interface ObjectNames {
  readonly name: string;
  readonly namespace?: string;
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function send(url: URL, options: https.RequestOptions, body: unknown): Promise<ApiAnswer> {
  const client = url.protocol === "http:" ? http : https;
  return new Promise((resolve, reject) => {
    const call = client.request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()) });
      });
    });
    call.once("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A refusal of a proxy in between may be no JSON. */
function parsed(text: string): Properties {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : { message: text };
  } catch {
    return { message: text.trim() };
  }
}
