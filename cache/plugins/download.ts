import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KilnError, messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { Unreached } from "../../toolchain/download.ts";
import { interruption, throwIfInterrupted } from "../../toolchain/process.ts";

/** What came: unlike a pinned tool's download, nothing is known of it beforehand. */
export interface Downloaded {
  readonly sha256: string;
  readonly bytes: number;
}

/** How long to wait for an answer and for the next bytes, and how many bytes to take. */
export interface DownloadLimits {
  readonly connectMs: number;
  readonly stallMs: number;
  readonly bytes: number;
}

const LIMITS: DownloadLimits = { connectMs: 10_000, stallMs: 60_000, bytes: 2 * 1024 ** 3 };

/** An archive may have hundreds of megabytes: what breaks off half-way is begun once more. */
const ATTEMPTS = 2;

/** Downloads files of plugins' releases; a host that did not answer is not asked again by the same one. */
export class PluginDownloader {
  readonly #progress: Progress;
  readonly #limits: DownloadLimits;
  readonly #silent = new Map<string, string>();

  constructor(progress: Progress, limits: DownloadLimits = LIMITS) {
    this.#progress = progress;
    this.#limits = limits;
  }

  /**
   * Downloads to `target`, which is not there where it fails, and gives size and checksum, or why the network did not
   * give it.
   */
  async download(url: string, target: string): Promise<Downloaded | Unreached> {
    const { host } = new URL(url);
    let reason = this.#silent.get(host);
    for (let attempt = 0; reason === undefined; attempt++) {
      const stop = new AbortController();
      const answer = await this.#ask(url, stop);
      if ("reason" in answer) return answer;
      try {
        return await this.#save(answer, url, target, stop);
      } catch (error) {
        await rm(target, { force: true });
        throwIfInterrupted();
        if (error instanceof KilnError) throw error;
        if (attempt + 1 >= ATTEMPTS) reason = `${host} broke off: ${messageOf(stop.signal.reason ?? error)}`;
      }
    }
    return { reason };
  }

  /** A small text file, or undefined where the network does not give it. */
  async readText(url: string): Promise<string | undefined> {
    if (this.#silent.has(new URL(url).host)) return undefined;
    const stop = new AbortController();
    const answer = await this.#ask(url, stop);
    if ("reason" in answer) return undefined;
    const timer = this.#abortAfter(this.#limits.stallMs, stop, "nothing came");
    const text = await answer.text().catch(() => undefined);
    clearTimeout(timer);
    throwIfInterrupted();
    return text;
  }

  async #ask(url: string, stop: AbortController): Promise<Response | Unreached> {
    const { host } = new URL(url);
    const timer = this.#abortAfter(this.#limits.connectMs, stop, "no answer");
    try {
      const response = await fetch(addressOf(url), {
        headers: credentialsOf(url),
        signal: AbortSignal.any([stop.signal, interruption.signal]),
      });
      if (response.ok) return response;
      stop.abort();
      return { reason: `${host} answered ${response.status}` };
    } catch (error) {
      throwIfInterrupted();
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      const reason = `${host} cannot be reached (${messageOf(cause)})`;
      this.#silent.set(host, reason);
      return { reason };
    } finally {
      clearTimeout(timer);
    }
  }

  async #save(response: Response, url: string, target: string, stop: AbortController): Promise<Downloaded> {
    if (response.body === null) throw new Error("the answer is empty");
    const { bytes: most, stallMs } = this.#limits;
    const total = Number(response.headers.get("content-length") ?? 0);
    const hash = createHash("sha256");
    const progress = this.#progress;
    const shown = shownUrl(url);
    let bytes = 0;
    const timer = this.#abortAfter(stallMs, stop, "nothing came");
    try {
      await pipeline(
        Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            timer.refresh();
            hash.update(chunk);
            bytes += chunk.length;
            if (bytes > most) throw new KilnError("failed", `${shown} has more than ${most} bytes: it is no plugin`);
            progress.update(`downloading ${shown}`, bytes, total);
            yield chunk;
          }
        },
        createWriteStream(target),
      );
    } finally {
      clearTimeout(timer);
    }
    return { sha256: hash.digest("hex"), bytes };
  }

  #abortAfter(ms: number, stop: AbortController, what: string): NodeJS.Timeout {
    return setTimeout(() => {
      stop.abort(new Error(`${what} within ${ms / 1000} s`));
    }, ms);
  }
}

/** An address as logs and locks show it: without user, password and query, which may be secret. */
export function shownUrl(url: string): string {
  const shown = new URL(addressOf(url));
  shown.search = "";
  return shown.href;
}

/** `fetch` takes no address with a user in it. */
function addressOf(url: string): string {
  const address = new URL(url);
  [address.username, address.password] = ["", ""];
  return address.href;
}

function credentialsOf(url: string): Record<string, string> {
  const { username, password } = new URL(url);
  if (username === "" && password === "") return {};
  const credentials = [username, password].map(decodeURIComponent).join(":");
  return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}
