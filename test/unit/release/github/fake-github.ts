import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { GithubConnection } from "../../../../release/github/connection.ts";

export const TOKEN = "ghs_token_of_the_test";

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly authorization: string;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** GitHub's API on loopback: every request is recorded, and a function answers it. */
export class FakeGithub {
  readonly asked: Asked[] = [];
  /** Milliseconds that the client waited. */
  readonly pauses: number[] = [];
  answer: (asked: Asked) => Answer = () => ({ status: 404, body: { message: "Not Found" } });
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Starts one that ends with the running test. */
  static async start(): Promise<FakeGithub> {
    const server = createServer();
    const github = new FakeGithub(server);
    server.on("request", (request, response) => {
      let text = "";
      request.setEncoding("utf8").on("data", (part: string) => (text += part));
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        const body = (text === "" ? undefined : JSON.parse(text)) as unknown;
        const one = { method, url, authorization: headers.authorization ?? "", body };
        github.asked.push(one);
        const answer = github.answer(one);
        response.writeHead(answer.status, { connection: "close", ...answer.headers });
        response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(
      () =>
        new Promise<void>((resolve) =>
          server.close(() => {
            resolve();
          }),
        ),
    );
    return github;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connection(): GithubConnection {
    return {
      api: this.address,
      repository: "acme/infra",
      token: TOKEN,
      pause: (milliseconds) => {
        this.pauses.push(milliseconds);
        return Promise.resolve();
      },
    };
  }

  /** What was asked that changes something, as `VERB path`. */
  get writes(): readonly string[] {
    return this.asked.filter(({ method }) => method !== "GET").map(({ method, url }) => `${method} ${url}`);
  }
}

/** The answer of a token that belongs to a user; that of an App is refused. */
export const someUser: Answer = { status: 200, body: { login: "kiln-user", type: "User" } };
export const someApp: Answer = { status: 403, body: { message: "Resource not accessible by integration" } };
