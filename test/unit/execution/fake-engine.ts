import { createServer, type IncomingMessage } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import { onTestFinished } from "vitest";

export interface FakeAnswer {
  readonly status: number;
  readonly document?: unknown;
}

export interface FakeEngine {
  readonly path: string;
  /** Method and path of each request, without the version. */
  readonly asked: string[];
  /** The body of the request that made a container. */
  made(): unknown;
}

/** As an engine sends a piece of output: 1 is standard output, 2 standard error. */
export function frame(stream: number, bytes: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

/** What an engine answers on its socket: `answers` by the beginning of a request, and `attached` for who attaches. */
export async function fakeEngine(
  answers: Readonly<Record<string, FakeAnswer>>,
  attached: (connection: Socket) => void = (connection) => connection.end(),
): Promise<FakeEngine> {
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-fake-engine-"));
  const [socket, asked, connections] = [path.join(folder, "docker.sock"), [] as string[], new Set<Socket>()];
  let made: unknown;
  const note = ({ method = "", url = "" }: IncomingMessage) => {
    const request = `${method} ${url.replace(/^\/v1\.41/, "")}`;
    if (url !== "/_ping") asked.push(request);
    return request;
  };
  const server = createServer((request, response) => {
    const name = note(request);
    const found = Object.entries(answers).find(([start]) => name.startsWith(start))?.[1];
    const { status, document } = found ?? { status: name === "GET /_ping" ? 200 : 500 };
    const answer = () => {
      response.writeHead(status, { "Api-Version": "1.41", "Content-Type": "application/json" });
      response.end(document === undefined ? undefined : JSON.stringify(document));
    };
    if (!name.startsWith("POST /containers/create")) answer();
    else
      void json(request).then((body) => {
        made = body;
        answer();
      });
  });
  server.on("upgrade", (request, connection: Socket) => {
    note(request);
    connection.on("error", () => undefined);
    connection.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    attached(connection);
  });
  server.on("connection", (connection) => connections.add(connection));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(async () => {
    for (const connection of connections) connection.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { path: socket, asked, made: () => made };
}
