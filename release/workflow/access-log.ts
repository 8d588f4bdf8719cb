import type { Bytes } from "./timeline.ts";

/** One request in the access log of a registry. */
export interface Access {
  /** Milliseconds since 1970, in whole seconds. */
  readonly at: number;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly status: number;
  /** Bytes of the answer's body. */
  readonly bytes: number;
  readonly agent: string;
}

/** Apache's combined format, which the distribution registry writes (gorilla/handlers, CombinedLoggingHandler). */
const LINE = /^\S+ \S+ \S+ \[([^\]]+)\] "(\w+) (\S+) [^"]*" (\d{3}) (\d+|-) "[^"]*" "([^"]*)"/;

/** The requests in a log; other lines are none. */
export function parseAccessLog(text: string): readonly Access[] {
  return text.split("\n").flatMap((line) => {
    const [, date = "", method = "", target = "", status, bytes, agent = ""] = LINE.exec(line) ?? [];
    const at = Date.parse(date.replace(/^(\d+)\/(\w+)\/(\d+):/, "$1 $2 $3 "));
    if (Number.isNaN(at)) return [];
    return [{ at, method, target, status: Number(status), bytes: bytes === "-" ? 0 : Number(bytes), agent }];
  });
}

/** The digest of a blob that a request has put into the registry; a mount, or one that was there, sends none. */
export function uploadedDigest({ method, target, status }: Access): string | undefined {
  if (method !== "PUT" || status !== 201 || !/^\/v2\/.+\/blobs\/uploads\//.test(target)) return undefined;
  return new URL(target, "http://registry").searchParams.get("digest") ?? undefined;
}

/** A job, and when it ran. */
export interface Window {
  readonly key: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What the log has in seconds, a request may have come up to this long after. */
const SECOND = 1000;

/**
 * Bytes read and written by job: of the job that a request's agent names (`kiln-job/KEY`, percent-encoded), else of the only
 * one that ran then. `shared` is what several could have moved. `sizeOf` gives a blob's bytes; the log has none of uploads.
 */
export function bytesByJob(
  log: readonly Access[],
  windows: readonly Window[],
  sizeOf: (digest: string) => number,
): { readonly jobs: ReadonlyMap<string, Bytes>; readonly shared: Bytes } {
  const jobs = new Map<string, Bytes>(windows.map(({ key }) => [key, { read: 0, written: 0 }]));
  let shared: Bytes = { read: 0, written: 0 };
  for (const access of log) {
    const digest = uploadedDigest(access);
    const moved = {
      read: access.method === "GET" ? access.bytes : 0,
      written: digest === undefined ? 0 : sizeOf(digest),
    };
    const open = windows.filter(({ startedAt, endedAt }) => access.at < endedAt && access.at + SECOND > startedAt);
    const named = windows.find(({ key }) => access.agent.includes(agentOf(key)));
    const owner = named ?? (open.length === 1 ? open[0] : undefined);
    if (owner !== undefined) jobs.set(owner.key, sum(jobs.get(owner.key), moved));
    else if (open.length > 0) shared = sum(shared, moved);
  }
  return { jobs, shared };
}

/** How a client names the job that it works for. */
export function agentOf(key: string): string {
  return `kiln-job/${encodeURIComponent(key)}`;
}

function sum(one: Bytes | undefined, other: Bytes): Bytes {
  return { read: (one?.read ?? 0) + other.read, written: (one?.written ?? 0) + other.written };
}
