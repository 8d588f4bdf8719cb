import { request, type IncomingMessage, type RequestOptions } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { KilnError, messageOf } from "../errors.ts";
import { CALL_MS } from "./docker-call.ts";

export interface SocketCall {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Gives the call up; the engine may do it all the same. */
  readonly until: AbortSignal;
}

/** What an engine answered, whatever the status. */
export interface SocketAnswer {
  readonly status: number;
  /** The document that it sent; undefined where it sent none. */
  readonly document: unknown;
}

/** The socket of an engine of this machine, asked without a process of the client. It knows no contexts, logins or proxies. */
export class EngineSocket {
  readonly path: string;
  #version: Promise<string> | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Asks for something below the engine's own version of its API. Throws where nothing answers, not for a refusal. */
  async ask(method: "POST" | "DELETE", path: string, { body, until }: SocketCall): Promise<SocketAnswer> {
    const answer = await this.#send(method, await this.#versioned(path), { body, until });
    const document = await documentOf(answer).catch((cause: unknown) => {
      throw this.#unreachable(cause);
    });
    return { status: answer.statusCode ?? 0, document };
  }

  /** The connection of an attached client: written to it is standard input, read from it are frames of both outputs. */
  async attach(path: string, until: AbortSignal): Promise<Socket> {
    const headers = { Connection: "Upgrade", Upgrade: "tcp" };
    const options = { ...this.#options("POST", await this.#versioned(path), until), headers };
    return new Promise((resolve, reject) => {
      const attaching = request(options);
      attaching.once("upgrade", (_answer, connection: Socket, head) => {
        if (head.length > 0) connection.unshift(head);
        resolve(connection);
      });
      attaching.once("response", (answer) => {
        const refused = (document: unknown) => {
          reject(new KilnError("failed", `the engine attaches nobody: ${saidBy({ status: 0, document })}`));
        };
        documentOf(answer).then(refused, reject);
      });
      attaching.once("error", (cause) => {
        reject(this.#unreachable(cause));
      });
      attaching.end();
    });
  }

  async #versioned(path: string): Promise<string> {
    const version = (this.#version ??= this.#askVersion());
    // A later call asks again.
    version.catch(() => (this.#version = undefined));
    return `/v${await version}${path}`;
  }

  /** For all calls, so that it ends with none of them. */
  async #askVersion(): Promise<string> {
    const answer = await this.#send("GET", "/_ping", { until: AbortSignal.timeout(CALL_MS) });
    answer.resume();
    const version = answer.headers["api-version"];
    if (typeof version === "string" && /^\d+\.\d+$/.test(version)) return version;
    throw new KilnError("unreachable", `${this.path} is no socket of a Docker engine`);
  }

  #options(method: string, path: string, signal: AbortSignal): RequestOptions {
    return { socketPath: this.path, method, path, signal, agent: false, headers: { Host: "docker" } };
  }

  #send(method: string, path: string, { body, until }: SocketCall): Promise<IncomingMessage> {
    const options = this.#options(method, path, until);
    return new Promise((resolve, reject) => {
      const asking = request(options, resolve);
      asking.once("error", (cause) => {
        reject(this.#unreachable(cause));
      });
      if (body === undefined) asking.end();
      else asking.setHeader("Content-Type", "application/json").end(JSON.stringify(body));
    });
  }

  #unreachable(cause: unknown): KilnError {
    return new KilnError("unreachable", `the engine at ${this.path} does not answer: ${messageOf(cause)}`, { cause });
  }
}

/** What an engine says in a refusal. */
export function saidBy({ status, document }: SocketAnswer): string {
  const { message } = (document ?? {}) as { readonly message?: unknown };
  return typeof message === "string" ? message : `status ${status}`;
}

async function documentOf(answer: IncomingMessage): Promise<unknown> {
  const said = await text(answer);
  try {
    return JSON.parse(said) as unknown;
  } catch {
    return undefined;
  }
}
