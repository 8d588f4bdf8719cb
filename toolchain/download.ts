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

const CONNECT_MS = 10_000;
const STALL_MS = 60_000;

/** Hosts that did not answer in this run: asking again would only cost another time-out. */
const silentHosts = new Map<string, string>();

/**
 * Downloads a pinned file to `target` and checks its SHA-256. Returns undefined when done, or why the network did not
 * give it; throws a KilnError when what came is not what is pinned.
 */
export async function download(pin: Download, target: string, progress: Progress): Promise<Unreached | undefined> {
  const host = new URL(pin.url).host;
  const known = silentHosts.get(host);
  if (known !== undefined) return { reason: known };

  const hash = createHash("sha256");
  try {
    const body = await open(pin.url);
    if ("reason" in body) {
      if (body.silent) silentHosts.set(host, body.reason);
      return { reason: body.reason };
    }
    await save(body, target, (chunk, done) => {
      hash.update(chunk);
      progress.update(`downloading ${pin.url}`, done, body.bytes);
    });
  } catch (error) {
    await rm(target, { force: true });
    throwIfInterrupted();
    return { reason: `${host}: ${explained(error)}` };
  }
  const found = hash.digest("hex");
  if (found !== pin.sha256) {
    await rm(target, { force: true });
    throw new KilnError("failed", `${pin.url}: the checksum is ${found}, pinned is ${pin.sha256}`, {
      mend: "do not use that file; find out who changed it (a proxy, the vendor) before you touch toolchain/pins.json",
    });
  }
  return undefined;
}

/** What fetch met, and what to do where a proxy or its certificate is in the way. */
function explained(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  const said = messageOf(innermost);
  const mend = networkMend(said);
  return mend === undefined ? said : `${said}; ${mend}`;
}

interface Body {
  readonly stream: ReadableStream<Uint8Array>;
  readonly bytes: number;
  readonly stop: AbortController;
}

async function open(url: string): Promise<Body | { reason: string; silent: boolean }> {
  const { host } = new URL(url);
  const stop = new AbortController();
  const timer = setTimeout(() => {
    stop.abort(new Error(`no answer within ${CONNECT_MS / 1000} s`));
  }, CONNECT_MS);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([stop.signal, interruption.signal]) });
    if (response.ok && response.body !== null) {
      return { stream: response.body, bytes: Number(response.headers.get("content-length") ?? 0), stop };
    }
    stop.abort();
    return { reason: `${host} answered ${response.status}`, silent: false };
  } catch (error) {
    throwIfInterrupted();
    return { reason: `${host} cannot be reached: ${explained(error)}`, silent: true };
  } finally {
    clearTimeout(timer);
  }
}

async function save(body: Body, target: string, seen: (chunk: Buffer, done: number) => void): Promise<void> {
  let done = 0;
  let timer: NodeJS.Timeout | undefined;
  const rearm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      body.stop.abort(new Error(`nothing came for ${STALL_MS / 1000} s`));
    }, STALL_MS);
  };
  rearm();
  try {
    await pipeline(
      Readable.fromWeb(body.stream as Parameters<typeof Readable.fromWeb>[0]),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          rearm();
          done += chunk.length;
          seen(chunk, done);
          yield chunk;
        }
      },
      createWriteStream(target),
    );
  } finally {
    clearTimeout(timer);
  }
}
