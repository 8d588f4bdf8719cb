import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { run } from "../../toolchain/process.ts";

/**
 * A store of the example provider's notes that is on this machine: an outside that containers share although they share no
 * folder, and that a test changes by hand.
 */
export class NoteServer {
  /** What stands there, by name: JSON documents. */
  readonly notes = new Map<string, string>();
  readonly #server: Server;
  readonly #host: string;

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
  }

  /** On the address by which containers of the engine's default network reach this machine. */
  static async start(engine: Engine): Promise<NoteServer> {
    const host = await bridgeAddress(engine);
    const server = createServer((request, response) => {
      const name = decodeURIComponent(new URL(request.url ?? "/", "http://notes").pathname.slice(1));
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        if (request.method === "PUT") one.notes.set(name, Buffer.concat(chunks).toString("utf8"));
        const found = one.notes.get(name);
        response.statusCode = found === undefined ? 404 : 200;
        response.end(found);
        if (request.method === "DELETE") one.notes.delete(name);
      });
    });
    const one = new NoteServer(server, host);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, host, resolve);
    });
    return one;
  }

  /** For the provider's `notes:store`. */
  get address(): string {
    return `http://${this.#host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** This machine's own address in the default network of an engine on it: the first of the network where it names none. */
async function bridgeAddress(engine: Engine): Promise<string> {
  const format = "{{with index .IPAM.Config 0}}{{.Subnet}} {{.Gateway}}{{end}}";
  const args = ["network", "inspect", "bridge", "--format", format];
  const { stdout } = await run(engine.docker, args, { env: engineEnvironment(engine) });
  const [subnet = "", gateway = ""] = stdout.trim().split(" ");
  return /^\d/.test(gateway) ? gateway : subnet.replace(/\.0\/\d+$/, ".1");
}
