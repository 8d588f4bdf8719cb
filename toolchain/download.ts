import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { networkMend } from "./network.mjs";
import type { Download } from "./pins.ts";
import { interruption, throwIfInterrupted } from "./process.ts";

/** Why a file could not be had over the network: another route may serve. A wrong checksum is never one of these. */
export interface Unreached {
  readonly reason: string;
}

/** What came. */
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

/** A file may have hundreds of megabytes: what breaks off half-way is begun once more. */
const ATTEMPTS = 2;

/**
 * Downloads files. A host that did not answer is not asked again: that would only cost another time-out. A login in an
 * address is sent as a header, and shown nowhere.
 */
export class Downloader {
  readonly #limits: DownloadLimits;
  readonly #silent = new Map<string, string>();

  constructor(limits: DownloadLimits = LIMITS) {
    this.#limits = limits;
  }

  /**
   * Downloads to `target`, which is not there where it fails, and gives size and checksum, or why the network did not
   * give it. Throws a KilnError for more bytes than the limit.
   */
  async download(url: string, target: string, progress: Progress): Promise<Downloaded | Unreached> {
    const { host } = new URL(url);
    let reason = this.#silent.get(host);
    for (let attempt = 0; reason === undefined; attempt++) {
      const stop = new AbortController();
      const answer = await this.#ask(url, stop);
      if ("reason" in answer) return answer;
      try {
        return await this.#save(answer, url, target, { stop, progress });
      } catch (error) {
        await rm(target, { force: true });
        throwIfInterrupted();
        if (error instanceof KilnError) throw error;
        if (attempt + 1 >= ATTEMPTS) reason = `${host} broke off: ${explained(stop.signal.reason ?? error)}`;
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
    const timer = abortAfter(this.#limits.stallMs, stop, "nothing came");
    const text = await answer.text().catch(() => undefined);
    clearTimeout(timer);
    throwIfInterrupted();
    return text;
  }

  async #ask(url: string, stop: AbortController): Promise<Response | Unreached> {
    const { host } = new URL(url);
    const timer = abortAfter(this.#limits.connectMs, stop, "no answer");
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
      const reason = `${host} cannot be reached: ${explained(error)}`;
      this.#silent.set(host, reason);
      return { reason };
    } finally {
      clearTimeout(timer);
    }
  }

  async #save(
    response: Response,
    url: string,
    target: string,
    { stop, progress }: { readonly stop: AbortController; readonly progress: Progress },
  ): Promise<Downloaded> {
    if (response.body === null) throw new Error("the answer is empty");
    const { bytes: most, stallMs } = this.#limits;
    const total = Number(response.headers.get("content-length") ?? 0);
    const hash = createHash("sha256");
    const shown = shownUrl(url);
    let bytes = 0;
    const timer = abortAfter(stallMs, stop, "nothing came");
    try {
      await pipeline(
        Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            timer.refresh();
            hash.update(chunk);
            bytes += chunk.length;
            if (bytes > most) throw tooLarge(shown, most);
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
}

/** One for all pinned tools of a run, so that what a silent host costs is paid once. */
const downloader = new Downloader();

/**
 * Downloads a pinned file to `target` and checks its SHA-256. Returns undefined when done, or why the network did not
 * give it; throws a KilnError when what came is not what is pinned.
 */
export async function download(pin: Download, target: string, progress: Progress): Promise<Unreached | undefined> {
  const came = await downloader.download(pin.url, target, progress);
  if ("reason" in came) return came;
  if (came.sha256 === pin.sha256) return undefined;
  await rm(target, { force: true });
  throw new KilnError("failed", `${shownUrl(pin.url)}: the checksum is ${came.sha256}, pinned is ${pin.sha256}`, {
    mend: "do not use that file; find out who changed it (a proxy, the vendor) before you touch toolchain/pins.json",
  });
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
  const credentials = [username, password].map(decoded).join(":");
  return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}

/** A part of an address as it is meant: a percent sign that encodes nothing stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function tooLarge(shown: string, most: number): KilnError {
  return new KilnError("failed", `${shown} has more than ${most} bytes, which no release has that kiln gets`, {
    mend: "Look at what that server sends: an error page, another file.",
  });
}

function abortAfter(ms: number, stop: AbortController, what: string): NodeJS.Timeout {
  return setTimeout(() => {
    stop.abort(new Error(`${what} within ${ms / 1000} s`));
  }, ms);
}

/** What fetch met, and what to do where a proxy or its certificate is in the way. */
export function explained(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  const said = messageOf(innermost);
  const mend = networkMend(said);
  return mend === undefined ? said : `${said}; ${mend}`;
}
