import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { askDocker } from "./docker-client.ts";
import type { Refusal } from "./finding.ts";
import { withoutCredentials } from "./network.mjs";

/** What stands behind the address that a docker client talks to. */
export interface EngineKind {
  readonly software: "Docker" | "Podman";
  readonly version: string;
  /** Go's name of the processor that it runs on: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly rootless: boolean;
  /** DOCKER_HOST or the endpoint of the docker context, as the client uses it. */
  readonly address: string;
  /** The docker context that gave the address; `default` where DOCKER_HOST or nothing did. */
  readonly context: string;
}

interface ServerVersion {
  readonly Version?: string;
  readonly Arch?: string;
  readonly Components?: readonly { readonly Name?: string }[];
}

/** What the engine behind a client is; undefined where none answers within 20 seconds. */
export async function readEngineKind(client: string, env: NodeJS.ProcessEnv): Promise<EngineKind | undefined> {
  const server = await askDocker(client, ["version", "--format", "{{json .Server}}"], env);
  if (server === undefined) return undefined;
  const security = await askDocker(client, ["info", "--format", "{{json .SecurityOptions}}"], env);
  return parseEngineKind(server, security ?? "null", await selectedEndpoint(client, env));
}

/** The same from what `docker version` and `docker info` print as JSON; undefined where that names no engine. */
export function parseEngineKind(
  server: string,
  security: string,
  endpoint: Pick<EngineKind, "address" | "context">,
): EngineKind | undefined {
  const { Version = "", Arch = "", Components = [] } = (JSON.parse(server) as ServerVersion | null) ?? {};
  if (!/^\d+\./.test(Version)) return undefined;
  const isPodman = Components.some(({ Name = "" }) => /podman/i.test(Name));
  return {
    software: isPodman ? "Podman" : "Docker",
    version: Version,
    architecture: Arch,
    rootless: ((JSON.parse(security) as readonly string[] | null) ?? []).includes("name=rootless"),
    ...endpoint,
  };
}

/** The docker context and address that a client uses: those of DOCKER_HOST, DOCKER_CONTEXT or `docker context use`. */
export async function selectedEndpoint(
  client: string,
  env: NodeJS.ProcessEnv,
): Promise<Pick<EngineKind, "address" | "context">> {
  const format = "{{.Name}} {{.Endpoints.docker.Host}}";
  const inspected = await askDocker(client, ["context", "inspect", "--format", format], env);
  const [context = "default", address = ""] = inspected?.split(" ") ?? [];
  return { context, address };
}

/** A kind of engine in a few words: `rootless Docker at ssh://build.example`. */
export function describeEngine({ software, rootless, address }: EngineKind): string {
  const at = address === "" ? "" : ` at ${shownAddress(address)}`;
  return `${rootless ? "rootless " : ""}${software}${at}`;
}

/** An engine's address without a password that it may carry. */
export function shownAddress(address: string): string {
  return /^(unix|npipe|fd):/.test(address) ? address : withoutCredentials(address);
}

/** Why kiln cannot build with a docker command that is Podman's. */
export const PODMAN_REFUSAL: Refusal = {
  reason: "the docker command on this machine is Podman's, which has no BuildKit, and kiln builds with BuildKit",
  mend: "use Docker in its place (Debian, Ubuntu: apt-get install -y docker.io, which removes podman-docker)",
};

/** Why kiln cannot build on an engine of this kind; undefined where it can. */
export function buildRefusal(kind: EngineKind): Refusal | undefined {
  if (kind.software === "Docker") return undefined;
  return {
    reason: `${describeEngine(kind)} has no BuildKit behind its Docker socket, and kiln builds with BuildKit`,
    mend: "use Docker beside it (Debian, Ubuntu: apt-get install -y docker.io) through DOCKER_HOST or `docker context use`",
  };
}

/** Why an engine cannot serve stacks whose registry is on this machine's loopback; undefined where it can. */
export async function loopbackRefusal(
  client: string,
  env: NodeJS.ProcessEnv,
  kind: EngineKind,
): Promise<Refusal | undefined> {
  if (await reachesLoopback(client, env)) return undefined;
  const why = kind.rootless ? "its network is a namespace of its own" : "it is in another network";
  return {
    reason: `${describeEngine(kind)} cannot reach localhost of this machine (${why}), where the registry of the local stack is`,
    mend: "use an engine of this machine's network for it (`unset DOCKER_HOST`, `docker context use default`), or set kiln:registry to a registry that both reach",
  };
}

/** Whether an engine pulls from this machine's loopback: asks it for an image of a server that only listens. */
async function reachesLoopback(client: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  let reached = false;
  const server = createServer((_, response) => {
    reached = true;
    response.writeHead(404, { connection: "close" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await askDocker(client, ["pull", "--quiet", `localhost:${port}/kiln/probe:none`], env);
    return reached;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
