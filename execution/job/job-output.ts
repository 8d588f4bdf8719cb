import { appendFileSync, closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { messageOf } from "../../errors.ts";
import { eventLine, type EventLine } from "../event-line.ts";
import type { Redactor } from "../redactor.ts";
import { resultOf, type JobResult } from "./result.ts";

/** A line of a job's container: `kind` says what else is in it. */
export interface JobEvent extends EventLine {
  readonly kind: string;
}

export interface JobOutputOptions {
  readonly folder: string;
  readonly redactor: Redactor;
  /** What the files that come out may have together. */
  readonly mostBytes: number;
  /** The same for events. */
  readonly mostEventBytes?: number;
  readonly onEvent: (event: JobEvent) => void;
}

/** `stdout.log`, `stderr.log`, or a path below `artifacts/` that leads nowhere else. */
const OUTPUT_FILE = /^(?:std(?:out|err)\.log|artifacts(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+)$/;
const INCOMING = "incoming";
/** More than the entrypoint lets through: what an image of another kind prints shall not fill this disk. */
const MOST_EVENT_BYTES = 512 * 1024 * 1024;
const MOST_FILES = 10_000;

/** Whether a name is one that a job's output may have. */
export function isOutputFile(name: string): boolean {
  return OUTPUT_FILE.test(name) && Buffer.byteLength(name) < 3_000;
}

/**
 * Takes what a job's container prints, as it comes: events into `events.ndjson`, the script's output into its logs, and at
 * the end the files and the result. Files stand beside the folder's own until the result is there, which comes last.
 */
export class JobOutput {
  readonly #options: JobOutputOptions;
  readonly #events: number;
  readonly #incoming: string;
  #bytes = 0;
  #eventBytes = 0;
  /** How much of each file has come. */
  readonly #sizes = new Map<string, number>();
  #result: JobResult | undefined;
  #summary: JobEvent | undefined;
  #closing: Promise<boolean> | undefined;
  /** Why something of it could not be kept. */
  fault: string | undefined;

  constructor(options: JobOutputOptions) {
    this.#options = options;
    this.#incoming = path.join(options.folder, INCOMING);
    this.#events = openSync(path.join(options.folder, "events.ndjson"), "a", 0o600);
  }

  /** The result, once the last line was there. */
  get result(): JobResult | undefined {
    return this.#result;
  }

  /** What its last event said of its end: less than a result, for where none came. */
  get summary(): JobEvent | undefined {
    return this.#summary;
  }

  /** A line of standard output. */
  line(line: string): void {
    if (this.#closing !== undefined) return;
    const event = eventOf(line);
    try {
      if (event?.kind === "file") this.#file(event);
      else if (event?.kind === "result") this.#result = resultOf(this.#options.redactor.document(event.result ?? null));
      else this.#event(event ?? logEvent(line, "stdout"));
    } catch (error) {
      // A disk that is full here must not look like a job that failed there.
      this.fault ??= messageOf(error);
    }
  }

  /** A line of standard error: the entrypoint's own words, or docker's. */
  errorLine(line: string): void {
    if (this.#closing !== undefined) return;
    this.#event(logEvent(line, "stderr"));
  }

  /** Puts the files into place, where all of them came. Returns whether they did, to each who asks; no line counts after it. */
  close(): Promise<boolean> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<boolean> {
    closeSync(this.#events);
    try {
      return this.#result === undefined ? false : await this.#place(this.#result);
    } finally {
      await rm(this.#incoming, { recursive: true, force: true });
    }
  }

  async #place({ artifacts }: JobResult): Promise<boolean> {
    const cut = artifacts.find(({ name, bytes }) => this.#sizes.get(`artifacts/${name}`) !== bytes);
    if (cut !== undefined) this.fault ??= `the artifact ${cut.name} did not come whole`;
    for (const name of ["stdout.log", "stderr.log", "artifacts"]) {
      const from = path.join(this.#incoming, name);
      if ((await stat(from).catch(() => undefined)) === undefined) continue;
      const to = path.join(this.#options.folder, name);
      if (name === "artifacts") await rm(to, { recursive: true, force: true });
      await rename(from, to);
    }
    return this.fault === undefined;
  }

  #event(event: JobEvent): void {
    const said = this.#options.redactor.document(event);
    if (said.kind === "summary") this.#summary = said;
    this.#options.onEvent(said);
    const line = `${JSON.stringify(said)}\n`;
    this.#eventBytes += Buffer.byteLength(line);
    const most = this.#options.mostEventBytes ?? MOST_EVENT_BYTES;
    if (this.#eventBytes > most) {
      this.fault ??= `the job's events have more than ${most} bytes: the rest is left`;
      return;
    }
    try {
      writeSync(this.#events, line);
      if (said.kind !== "output" || typeof said.text !== "string") return;
      const log = said.stream === "stderr" ? "stderr.log" : "stdout.log";
      appendFileSync(path.join(this.#options.folder, log), said.text + (said.open === true ? "" : "\n"), {
        mode: 0o600,
      });
    } catch (error) {
      this.fault ??= messageOf(error);
    }
  }

  #file({ path: name, offset, base64 }: JobEvent): void {
    if (typeof name !== "string" || typeof base64 !== "string" || !isOutputFile(name)) {
      this.fault ??= "a file of the job has a name that it may not have";
      return;
    }
    const before = this.#sizes.get(name) ?? 0;
    // Logs that a node rotates lose lines, and nobody says so.
    if (typeof offset === "number" && offset !== before) {
      this.fault ??= `a piece of ${name} did not come: it is not whole`;
      return;
    }
    if (this.#sizes.size >= MOST_FILES && !this.#sizes.has(name)) {
      this.fault ??= `the job has more than ${MOST_FILES} files: the rest is left`;
      return;
    }
    const bytes = Buffer.from(base64, "base64");
    this.#sizes.set(name, before + bytes.length);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#options.mostBytes) {
      this.fault ??= `the job's files have more than ${this.#options.mostBytes} bytes: the rest is left`;
      return;
    }
    const file = path.join(this.#incoming, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    appendFileSync(file, bytes, { mode: 0o600 });
  }
}

function eventOf(line: string): JobEvent | undefined {
  const event = eventLine(line);
  return typeof event?.kind === "string" ? { ...event, kind: event.kind } : undefined;
}

/** What no entrypoint wrote: an image of another kind, or docker's own words. */
function logEvent(line: string, stream: string): JobEvent {
  const text = line.replaceAll("\0", "\u2400");
  return { at: new Date().toISOString(), kind: "output", stream, text };
}
