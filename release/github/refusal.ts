import { KilnError } from "../../errors.ts";
import type { GithubRequest } from "./client.ts";
import type { GithubConnection } from "./connection.ts";

/** What GitHub sent back, whatever it is. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly document: unknown;
}

/** A request that GitHub refused: with which status, and for want of which permission where that is the reason. */
export class GithubRefusal extends KilnError {
  readonly status: number;
  /** Such as `pull-requests: write`. */
  readonly permission: string | undefined;

  constructor(connection: GithubConnection, request: GithubRequest, answer: Answer) {
    const { status } = answer;
    const limited = isLimited(answer);
    const missing = !limited && [401, 403, 404].includes(status);
    super(
      status >= 500 || missing || limited ? "unreachable" : "failed",
      `${request.method ?? "GET"} ${pathOf(request)} of ${new URL(connection.api).host}: ` +
        `GitHub answered ${status}${saidBy(answer, connection.token)}`,
      { mend: mendOf(connection, request, answer) },
    );
    this.name = "GithubRefusal";
    this.status = status;
    this.permission = missing ? request.needs : undefined;
  }
}

function mendOf({ repository }: GithubConnection, { needs }: GithubRequest, answer: Answer): string {
  const { status, headers } = answer;
  if (isLimited(answer))
    return `It limits how often this token may ask${untilWhen(headers)}: run the command again then.`;
  if (status >= 500) return "It fails at the moment: run the command again later. It goes on from what is there.";
  if (status >= 300 && status < 400)
    return `${repository} has moved: set GITHUB_REPOSITORY, or origin, to its new name.`;
  if (status === 401) return `The token is none, or has expired: give one that has ${needs}.`;
  if (status === 403)
    return `The token lacks a permission: in a workflow write \`permissions: { ${needs} }\`; of an App or a fine-grained token add it.`;
  if (status === 404) return `${repository} has no such thing, or the token may not see it: it needs ${needs}.`;
  return "Correct what it says, then run the command again.";
}

/** Whether GitHub refuses for having been asked too often: by its limits of an hour, or by those of bursts. */
export function isLimited({ status, headers, document }: Answer): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return (
    headers.has("retry-after") || headers.get("x-ratelimit-remaining") === "0" || /rate limit/i.test(said(document))
  );
}

/** What GitHub asks to wait after a limit that it says no time of. */
const LIMIT_MS = 60_000;

/** Milliseconds to wait before a request is worth another try; nothing where it would be refused again. */
export function waitOf(answer: Answer, attempt: number, now: number): number | undefined {
  const { status, headers } = answer;
  const limited = isLimited(answer);
  if (!limited && status < 500) return undefined;
  const seconds = numberIn(headers, "retry-after");
  if (seconds !== undefined) return seconds * 1000;
  if (!limited) return 1000 * 2 ** (attempt - 1);
  const reset = headers.get("x-ratelimit-remaining") === "0" ? numberIn(headers, "x-ratelimit-reset") : undefined;
  return reset === undefined ? LIMIT_MS : Math.max(reset * 1000 - now, 0) + 1000;
}

function untilWhen(headers: Headers): string {
  const [seconds, reset] = [numberIn(headers, "retry-after"), numberIn(headers, "x-ratelimit-reset")];
  if (seconds !== undefined) return ` for ${seconds} s more`;
  return reset === undefined ? "" : ` until ${new Date(reset * 1000).toISOString()}`;
}

function numberIn(headers: Headers, name: string): number | undefined {
  const text = headers.get(name) ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function saidBy({ document }: Answer, token: string): string {
  const text = said(document).replaceAll(token, "***").slice(0, 200);
  return text === "" ? "" : `: ${text}`;
}

/** What GitHub says in its document, with what is wrong with single fields. */
function said(document: unknown): string {
  const { message, errors } = (document ?? {}) as { message?: unknown; errors?: unknown };
  const fields = (Array.isArray(errors) ? errors : []).flatMap((entry: unknown) => {
    const { message: own, field, code } = (entry ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof own === "string") return [own];
    return typeof field === "string" && typeof code === "string" ? [`${field} ${code}`] : [];
  });
  return [...(typeof message === "string" ? [message] : []), ...fields].join("; ");
}

/** Without its query, which says nothing more to a person. */
function pathOf({ path }: GithubRequest): string {
  return path.replace(/\?.*$/, "");
}
