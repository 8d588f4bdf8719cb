import { setTimeout as sleep } from "node:timers/promises";
import { KilnError, messageOf } from "../../errors.ts";
import { interruption, throwIfInterrupted } from "../../toolchain/process.ts";
import type { GithubConnection } from "./connection.ts";
import { GithubRefusal, waitOf, type Answer } from "./refusal.ts";

export type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

/** One request. `needs` is the permission of a token that may do it, as GitHub's pages call it: `pull-requests: write`. */
export interface GithubRequest {
  readonly path: string;
  readonly method?: Method;
  readonly body?: unknown;
  readonly needs: string;
}

const TRIES = 3;
const PATIENCE_MS = 30_000;
/** Nobody waits longer for a limit that GitHub sets: the error says until when. */
const LONGEST_WAIT_MS = 300_000;

/**
 * The document that GitHub answers with. Tries three times where it is busy: servers that fail, limits with their Retry-After.
 * Throws a GithubRefusal that names the missing permission, or that GitHub cannot be reached.
 */
export async function askGithub<Document>(connection: GithubConnection, request: GithubRequest): Promise<Document> {
  return (await answerOf(connection, request)).document as Document;
}

/** The document, or nothing where GitHub has no such thing, or does not show it to this token. */
export async function askIfThere<Document>(
  connection: GithubConnection,
  request: GithubRequest,
): Promise<Document | undefined> {
  try {
    return await askGithub<Document>(connection, request);
  } catch (error) {
    if (error instanceof GithubRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/** All entries of a list, page after page. */
export async function askForAll<Entry>(
  connection: GithubConnection,
  request: GithubRequest,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  let path: string | undefined = `${request.path}${request.path.includes("?") ? "&" : "?"}per_page=100`;
  while (path !== undefined && !seen.has(path)) {
    seen.add(path);
    const answer = await answerOf(connection, { ...request, path });
    entries.push(...(answer.document as readonly Entry[]));
    path = nextPage(answer.headers.get("link"), connection.api);
  }
  return entries;
}

/** The path of the page that a Link header (RFC 8288) names as next. One on another host is not followed: the token stays. */
function nextPage(link: string | null, api: string): string | undefined {
  const [, address] = /<([^>]+)>;[^,]*\brel="next"/.exec(link ?? "") ?? [];
  return address?.startsWith(`${api}/`) === true ? address.slice(api.length) : undefined;
}

async function answerOf(connection: GithubConnection, request: GithubRequest): Promise<Answer> {
  const pause = connection.pause ?? pauseHere;
  for (let attempt = 1; ; attempt++) {
    const answer = await attemptOf(connection, request);
    if (answer.status >= 200 && answer.status < 300) return answer;
    const refusal = new GithubRefusal(connection, request, answer);
    const wait = waitOf(answer, attempt, Date.now());
    // What failed half-way may have been done, and a second POST would do it twice.
    const mayRepeat = answer.status < 500 || request.method !== "POST" || answer.headers.has("retry-after");
    if (wait === undefined || !mayRepeat || attempt === TRIES || wait > LONGEST_WAIT_MS) throw refusal;
    await pause(wait);
  }
}

async function attemptOf({ api, token }: GithubConnection, request: GithubRequest): Promise<Answer> {
  const { path, method = "GET", body } = request;
  try {
    const response = await fetch(`${api}${path}`, {
      method,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "user-agent": "kiln",
        "x-github-api-version": "2022-11-28",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A token belongs to the host that it was asked for: it follows nobody elsewhere.
      redirect: "manual",
      signal: AbortSignal.any([interruption.signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    return { status: response.status, headers: response.headers, document: parsed(await response.text()) };
  } catch (error) {
    throwIfInterrupted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new KilnError("unreachable", `${new URL(api).host} cannot be reached: ${messageOf(cause)}`, {
      mend: "Check the network, the proxy and GITHUB_API_URL, then run the command again: it goes on from what is there.",
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}

async function pauseHere(milliseconds: number): Promise<void> {
  await sleep(milliseconds, undefined, { signal: interruption.signal }).catch(throwIfInterrupted);
}
