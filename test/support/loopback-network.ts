import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, type AddressInfo } from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";

/** A forward proxy on loopback, and what it was asked for: `CONNECT host:port` or the address of a plain request. */
export interface ForwardProxy {
  readonly address: string;
  readonly asked: string[];
}

/**
 * Starts a proxy that sends everything to a port of loopback, whatever host is asked for, so that a test sees that a name
 * which no one resolves was reached through it. With `credentials` (`user:password`) it wants these.
 */
export async function startProxy(options: {
  readonly to: number;
  readonly credentials?: string;
}): Promise<ForwardProxy> {
  const asked: string[] = [];
  const wanted = options.credentials;
  const expected = wanted === undefined ? undefined : `Basic ${Buffer.from(wanted).toString("base64")}`;
  const refuses = (request: IncomingMessage) =>
    expected !== undefined && request.headers["proxy-authorization"] !== expected;
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (refuses(request)) return void response.writeHead(407).end();
    const url = new URL(request.url ?? "");
    void fetch(`http://127.0.0.1:${options.to}${url.pathname}`)
      .then(async (answer) => response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer())))
      .catch(() => response.writeHead(502).end());
  });
  proxy.on("connect", (request, client, head) => {
    asked.push(`CONNECT ${request.url ?? ""}`);
    if (refuses(request)) return void client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const server = connect(options.to, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      server.write(head);
      server.pipe(client).pipe(server);
    });
    server.on("error", () => client.destroy());
    client.on("error", () => server.destroy());
  });
  return { address: `127.0.0.1:${await listen(proxy)}`, asked };
}

/** Starts a TLS server for `name` that answers every request with `content`, signed by a CA of its own; needs openssl. */
export async function startTlsServer(directory: string, name: string, content: string) {
  const [ca, caKey, key, request, cert, extra] = ["ca.pem", "ca.key", "key.pem", "csr.pem", "cert.pem", "san.cnf"].map(
    (file) => path.join(directory, file),
  ) as [string, string, string, string, string, string];
  const fresh = ["req", "-newkey", "rsa:2048", "-nodes"];
  openssl([...fresh, "-x509", "-days", "2", "-subj", "/CN=kiln test CA", "-keyout", caKey, "-out", ca]);
  openssl([...fresh, "-subj", `/CN=${name}`, "-keyout", key, "-out", request]);
  spawnSync("sh", ["-c", `printf 'subjectAltName=DNS:${name}\\n' > "$1"`, "sh", extra]);
  const sign = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-days", "2", "-extfile", extra, "-out", cert];
  openssl(["x509", "-req", "-in", request, ...sign]);
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
    response.end(content);
  });
  return { ca, port: await listen(server) };
}

/** Why a TLS server with its own CA cannot be made here; undefined where it can. */
export function noOpenssl(): string | undefined {
  return spawnSync("openssl", ["version"]).status === 0 ? undefined : "openssl is not on PATH";
}

/** Runs a script of this Node in an environment of its own, and gives its exit code and output. */
export function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.once("close", (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function openssl(args: readonly string[]): void {
  const done = spawnSync("openssl", args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`openssl ${args[0] ?? ""} failed: ${done.stderr}`);
}
