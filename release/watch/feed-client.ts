import { setTimeout as sleep } from "node:timers/promises";
import { KilnError, messageOf } from "../../errors.ts";
import { interruption, throwIfInterrupted } from "../../toolchain/process.ts";
import { waitOf, type Answer } from "../github/refusal.ts";

/** A document that a source gave once, by its address: what an `If-None-Match` is answered with. */
export interface KeptDocument {
  readonly etag: string;
  readonly document: unknown;
}

/** Where documents are kept between runs. Losing it costs requests and nothing else. */
export interface FeedMemory {
  read(address: string): Promise<KeptDocument | undefined>;
  write(address: string, kept: KeptDocument): Promise<void>;
}

export interface FeedClientOptions {
  readonly memory: FeedMemory;
  /** Sent to this API alone, where the limits of those who ask without are low. */
  readonly login?: { readonly api: string; readonly token: string };
  /** Waits so many milliseconds; tests do not. */
  readonly pause?: (milliseconds: number) => Promise<void>;
  /** When all requests have ended, in milliseconds since 1970; never where left out. */
  readonly ends?: number;
}

/** One document to read: `digest` takes from its text what is worth keeping. */
export interface FeedRequest<Document> {
  readonly address: string;
  readonly accept?: string;
  readonly digest: (text: string) => Document;
}

const TRIES = 3;
const PATIENCE_MS = 30_000;
/** Nobody waits longer for a limit: the next run is soon. */
const LONGEST_WAIT_MS = 90_000;
/** The whole history of a large npm package is some 20 MB. */
const LARGEST = 128 * 1024 * 1024;

/** Reads documents of sources, politely: by what is kept from before, as slowly as they ask, and never for long. */
export class FeedClient {
  readonly #options: FeedClientOptions;

  constructor(options: FeedClientOptions) {
    this.#options = options;
  }

  /** The same, whose requests all end within so many milliseconds from now on. */
  within(milliseconds: number): FeedClient {
    return new FeedClient({ ...this.#options, ends: Date.now() + milliseconds });
  }

  /** What `digest` takes from the document. Throws a KilnError that says why the source gave none; 404 gives nothing. */
  async read<Document>({ address, accept, digest }: FeedRequest<Document>): Promise<Document | undefined> {
    const kept = await this.#options.memory.read(address);
    const headers = {
      "user-agent": "kiln",
      ...(accept === undefined ? {} : { accept }),
      ...(kept === undefined ? {} : { "if-none-match": kept.etag }),
      ...this.#loginFor(address),
    };
    const response = await this.#answer(address, headers);
    if (response.status === 304 && kept !== undefined) return kept.document as Document;
    if (response.status === 404 || response.status === 410) return undefined;
    const document = digested(address, response.text, digest);
    const etag = response.headers.get("etag");
    if (etag !== null) await this.#options.memory.write(address, { etag, document });
    return document;
  }

  #loginFor(address: string): Readonly<Record<string, string>> {
    const { login } = this.#options;
    return login !== undefined && address.startsWith(`${login.api}/`) ? { authorization: `Bearer ${login.token}` } : {};
  }

  async #answer(address: string, headers: Readonly<Record<string, string>>): Promise<Answer & { text: string }> {
    const pause = this.#options.pause ?? pauseHere;
    for (let attempt = 1; ; attempt++) {
      const left = (this.#options.ends ?? Infinity) - Date.now();
      if (left <= 0) throw slow(address);
      const answer = await attemptOf(address, headers, Math.min(left, PATIENCE_MS));
      const { status } = answer;
      if ((status >= 200 && status < 300) || status === 304 || status === 404 || status === 410) return answer;
      const wait = waitOf(answer, attempt, Date.now());
      if (wait === undefined || attempt === TRIES || wait > Math.min(left, LONGEST_WAIT_MS)) {
        throw refused(address, status, wait);
      }
      await pause(wait);
    }
  }
}

async function attemptOf(
  address: string,
  headers: Readonly<Record<string, string>>,
  patience: number,
): Promise<Answer & { text: string }> {
  try {
    const signal = AbortSignal.any([interruption.signal, AbortSignal.timeout(patience)]);
    const response = await fetch(address, { headers, redirect: "error", signal });
    const text = await boundedText(response);
    return { status: response.status, headers: response.headers, document: parsed(response, text), text };
  } catch (error) {
    throwIfInterrupted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new KilnError("unreachable", `${new URL(address).host} cannot be read: ${messageOf(cause)}`, {
      mend: "Check the network, the proxy and the source's address in the watcher's file.",
    });
  }
}

/** The text of an answer; one that does not end is cut off. */
async function boundedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > LARGEST) throw new Error(`it sends more than ${LARGEST / 1024 / 1024} MB`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** What an error says beside its status: only small documents do. */
function parsed({ ok }: Response, text: string): unknown {
  if (ok || text.length > 10_000) return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}

function digested<Document>(address: string, text: string, digest: (text: string) => Document): Document {
  try {
    return digest(text);
  } catch (error) {
    // V8 quotes the document in what it says of JSON, and a document's words are not for a log.
    const why = error instanceof SyntaxError ? "it is no JSON" : messageOf(error);
    throw new KilnError("unreachable", `${address} is not what a source of releases gives: ${why}`, {
      mend: "Look at it in a browser: a proxy may answer in its place.",
    });
  }
}

function slow(address: string): KilnError {
  return new KilnError("unreachable", `${new URL(address).host} took too long, all its documents together`, {
    mend: "Run it later, or name a mirror of the source in the watcher's file.",
  });
}

function refused(address: string, status: number, wait: number | undefined): KilnError {
  const { host } = new URL(address);
  const limited = wait !== undefined && wait > LONGEST_WAIT_MS;
  const until = limited ? `; it asks for ${Math.ceil(wait / 1000)} s of patience` : "";
  return new KilnError("unreachable", `${host} answered ${status}${until}`, {
    mend: limited ? "Run less often, or give a token: the limits of those who ask without are low." : "Run it later.",
  });
}

async function pauseHere(milliseconds: number): Promise<void> {
  await sleep(milliseconds, undefined, { signal: interruption.signal }).catch(throwIfInterrupted);
}
