import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A release of the feed's project, as its sources tell of it. */
export interface FeedRelease {
  /** Without a v; what is no version stands for itself. */
  readonly version: string;
  /** How long ago it was published, in hours. */
  readonly hoursAgo: number;
  readonly on?: readonly ("github" | "npm")[];
  readonly prerelease?: boolean;
  readonly deprecated?: string;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const HOUR_MS = 3_600_000;

/** GitHub, npm and a registry on loopback, all of one project: what they know is what a test puts in. */
export class ReleaseFeed {
  releases: readonly FeedRelease[] = [];
  /** Images that the registry has: `repository:tag`, below its address. */
  readonly images = new Set<string>();
  /** `VERB path STATUS`, in their order. */
  readonly asked: string[] = [];
  /** What is answered instead of a document, by the beginning of its path. */
  readonly refusals = new Map<string, Answer>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Starts one that ends with the running test. */
  static async start(): Promise<ReleaseFeed> {
    const server = createServer();
    const feed = new ReleaseFeed(server);
    server.on("request", (request, response) => {
      const { method = "", url = "", headers } = request;
      const refusal = [...feed.refusals].find(([path]) => url.startsWith(path))?.[1];
      const text = refusal === undefined ? feed.#document(url) : undefined;
      const etag = text === undefined ? undefined : `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`;
      const same = etag !== undefined && headers["if-none-match"] === etag;
      const status = refusal?.status ?? (text === undefined ? 404 : same ? 304 : 200);
      feed.asked.push(`${method} ${url} ${status}`);
      response.writeHead(status, { connection: "close", ...(etag ? { etag } : {}), ...refusal?.headers });
      response.end(status === 200 && method === "GET" ? text : "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return feed;
  }

  get address(): string {
    return `http://${this.host}`;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #document(url: string): string | undefined {
    if (url.startsWith("/repos/acme/tool/releases")) return JSON.stringify(this.#github());
    if (url === "/@acme%2ftool") return JSON.stringify(this.#npm());
    const [, repository = "", tag = ""] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url) ?? [];
    return this.images.has(`${repository}:${tag}`) ? "{}" : undefined;
  }

  #known(source: "github" | "npm"): readonly FeedRelease[] {
    return this.releases.filter(({ on = ["github", "npm"] }) => on.includes(source));
  }

  #github(): unknown {
    return this.#known("github").map(({ version, hoursAgo, prerelease = false }) => ({
      tag_name: /^\d/.test(version) ? `v${version}` : version,
      draft: false,
      prerelease,
      published_at: timeOf(hoursAgo),
    }));
  }

  #npm(): unknown {
    const known = this.#known("npm").filter(({ version }) => /^\d/.test(version));
    return {
      versions: Object.fromEntries(known.map(({ version, deprecated }) => [version, deprecated ? { deprecated } : {}])),
      time: Object.fromEntries(known.map(({ version, hoursAgo }) => [version, timeOf(hoursAgo)])),
    };
  }
}

/** To the hour, so that a document stays the same while a test runs. */
function timeOf(hoursAgo: number): string {
  return new Date((Math.floor(Date.now() / HOUR_MS) - hoursAgo) * HOUR_MS).toISOString();
}

/** A watcher's file for the feed, which asks for images of these languages to try. */
export function watchFile(feed: ReleaseFeed, more: readonly string[] = [], languages = ["golang", "python"]): string {
  return [
    "sources:",
    `  - { kind: github, project: acme/tool, address: "${feed.address}" }`,
    `  - { kind: npm, project: "@acme/tool", address: "${feed.address}" }`,
    "floor: 3.250.0",
    `languages: [${languages.join(", ")}]`,
    "variants: [slim]",
    ...more,
    "",
  ].join("\n");
}
