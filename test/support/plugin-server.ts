import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { onTestFinished } from "vitest";

/** What a plugin's archive holds: by name a file's content, or a header for something else. */
export type ArchiveContent = Readonly<Record<string, string | Partial<Header>>>;

/** A gzipped tar archive. Files are executable if their content is a script. */
export async function pluginArchive(content: ArchiveContent): Promise<Buffer> {
  const archive = pack();
  for (const [name, what] of Object.entries(content)) {
    if (typeof what === "string") archive.entry({ name, mode: what.startsWith("#!") ? 0o755 : 0o644 }, what);
    else archive.entry({ name, ...what }, "");
  }
  archive.finalize();
  return gzipSync(await buffer(archive));
}

export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

export interface PluginServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
}

/** What a server does with a request: a file, or anything else by hand. */
export type Answer = Buffer | ((request: IncomingMessage, response: ServerResponse) => void);

/** A server of plugins on loopback, by path, that ends with the test; other paths are 404. */
export async function servePlugins(answers: Readonly<Record<string, Answer>>): Promise<PluginServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const answer = answers[decodeURIComponent(request.url ?? "")];
    if (answer === undefined) response.writeHead(404).end("no such plugin");
    else if (Buffer.isBuffer(answer)) response.end(answer);
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
