import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { referrersTag } from "../../registry/image-reference.ts";
import { RUNNER_RECORD } from "../../release/runner-record.ts";

/** A release of the feed's project, as its sources tell of it. */
export interface FeedRelease {
  /** Without a v; what is no version stands for itself. */
  readonly version: string;
  /** How long ago it was published, in hours. */
  readonly hoursAgo: number;
  readonly on?: readonly FeedSource[];
  /** Sources that say another time: so many hours ago. */
  readonly lies?: Readonly<Partial<Record<FeedSource, number>>>;
  readonly prerelease?: boolean;
  /** Why npm has it deprecated. */
  readonly deprecated?: string;
  /** Why PyPI has it yanked. */
  readonly yanked?: string;
  /** Why the module's latest version retracts it. */
  readonly retracted?: string;
}

const FEED_SOURCES = ["github", "npm", "pypi", "go"] as const;

type FeedSource = (typeof FEED_SOURCES)[number];

/** An image of the feed's registry, with the record of its release. */
export interface FeedImage {
  /** `kiln/runner-pulumi-golang:v3.253.0`. */
  readonly name: string;
  /** What its record names: the version inside (that of the tag where left out), and the commit. */
  readonly version?: string;
  readonly revision: string;
  readonly hoursAgo?: number;
  /** `none`: pushed by somebody without one. */
  readonly record?: "none";
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const HOUR_MS = 3_600_000;

/** GitHub, npm, PyPI, a Go proxy and a registry on loopback, all of one project: what they know is what a test puts in. */
export class ReleaseFeed {
  releases: readonly FeedRelease[] = [];
  /** The documents of the registry, by their paths. */
  readonly #registry = new Map<string, string>();
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
      const digest = text !== undefined && url.startsWith("/v2/") ? { "docker-content-digest": digestOf(text) } : {};
      response.writeHead(status, { connection: "close", ...(etag ? { etag } : {}), ...digest, ...refusal?.headers });
      response.end(status === 200 && method === "GET" ? text : "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return feed;
  }

  /** Puts an image into the registry, and its record where registries without the referrers API list it. */
  addImage({ name, version, revision, hoursAgo = 0, record: kept }: FeedImage): void {
    const [, repository = "", tag = ""] = /^(.+):(.+)$/.exec(name) ?? [];
    const image = JSON.stringify({ image: name, revision });
    const record = JSON.stringify({
      ...{ imageTag: tag, version: version ?? tag.slice(1), digest: digestOf(image), revision },
      at: new Date(Date.now() - hoursAgo * HOUR_MS).toISOString(),
    });
    const manifest = JSON.stringify({ layers: [{ digest: digestOf(record) }] });
    const list = JSON.stringify({ manifests: [{ digest: digestOf(manifest), artifactType: RUNNER_RECORD }] });
    const put = (path: string, text: string) => this.#registry.set(`/v2/${repository}/${path}`, text);
    put(`manifests/${tag}`, image);
    if (kept === "none") return;
    put(`manifests/${referrersTag(digestOf(image))}`, list);
    put(`manifests/${digestOf(manifest)}`, manifest);
    put(`blobs/${digestOf(record)}`, record);
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
    if (url === "/pypi/tool/json") return JSON.stringify(this.#pypi());
    if (url.startsWith(`/${PROJECTS.go}/@`)) return this.#go(url.slice(PROJECTS.go.length + 2));
    return this.#registry.get(url);
  }

  #known(source: FeedSource): readonly FeedRelease[] {
    return this.releases
      .filter(({ on = FEED_SOURCES }) => on.includes(source))
      .map((one) => ({ ...one, hoursAgo: one.lies?.[source] ?? one.hoursAgo }));
  }

  /** The proxy's documents by their paths below the module. The time of a version is that of its commit, in 1970. */
  #go(path: string): string | undefined {
    const known = this.#known("go").filter(({ version }) => /^\d/.test(version));
    const [latest] = known;
    if (path === "@v/list") return known.map(({ version }) => `v${version}\n`).join("");
    if (latest === undefined) return undefined;
    if (path === "@latest") return JSON.stringify({ Version: `v${latest.version}`, Time: "1970-01-01T00:00:00Z" });
    if (path !== `@v/v${latest.version}.mod`) return undefined;
    const retracted = known.filter((one) => one.retracted !== undefined);
    return retracted.map((one) => `retract v${one.version} // ${one.retracted ?? ""}\n`).join("");
  }

  #pypi(): unknown {
    const files = ({ hoursAgo, yanked }: FeedRelease) => [
      { upload_time_iso_8601: timeOf(hoursAgo), yanked: yanked !== undefined, yanked_reason: yanked ?? null },
    ];
    return { releases: Object.fromEntries(this.#known("pypi").map((one) => [one.version, files(one)])) };
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

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** To the hour, so that a document stays the same while a test runs. */
function timeOf(hoursAgo: number): string {
  return new Date((Math.floor(Date.now() / HOUR_MS) - hoursAgo) * HOUR_MS).toISOString();
}

const PROJECTS: Readonly<Record<FeedSource, string>> = {
  ...{ github: "acme/tool", npm: "@acme/tool", pypi: "tool", go: "example.com/acme/tool" },
};

/** A watcher's file for the feed, which asks for images of these languages to try. */
export function watchFile(
  feed: ReleaseFeed,
  more: readonly string[] = [],
  { languages = ["golang", "python"], sources = ["github", "npm"] as readonly FeedSource[] } = {},
): string {
  return [
    "sources:",
    ...sources.map((kind) => `  - { kind: ${kind}, project: "${PROJECTS[kind]}", address: "${feed.address}" }`),
    "floor: 3.250.0",
    `languages: [${languages.join(", ")}]`,
    "variants: [slim]",
    ...more,
    "",
  ].join("\n");
}
