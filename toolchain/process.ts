import { spawn } from "node:child_process";
import { open, type FileHandle } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KilnError } from "../errors.ts";
import { LineReader } from "./line-reader.ts";
import { withoutProxySecrets } from "./network.mjs";

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment of the child; the caller's own when absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the child's standard input, which is closed after it. A stream that breaks off ends the child. */
  readonly input?: string | Buffer | Readable;
  /** A file that becomes the child's standard input. */
  readonly inputFile?: string;
  /** A file that the child's standard output goes into, instead of into the result. */
  readonly outputFile?: string;
  /** Bytes of the output file after which the child is ended, and an error thrown. */
  readonly outputLimit?: number;
  /** Called with each line of standard error as it comes. */
  readonly onStderrLine?: (line: string) => void;
  /** Called with each line of standard output as it comes. */
  readonly onStdoutLine?: (line: string) => void;
  /** Keep neither output for the result, so that a long run needs no memory: only the callbacks see them. */
  readonly discardOutput?: boolean;
  /** Ends the child's whole process group with SIGTERM, and with SIGKILL five seconds later. */
  readonly signal?: AbortSignal | undefined;
  /** Return a non-zero exit code instead of throwing. */
  readonly allowFailure?: boolean;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What Ctrl-C aborts: the default signal of every child process and of every loop that would start one. */
export const interruption = new AbortController();

/** Throws when the run was interrupted, so that a loop between two child processes ends as well. */
export function throwIfInterrupted(): void {
  throwIfAborted(interruption.signal);
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new KilnError("interrupted", "interrupted");
}

const GRACE_MS = 5_000;

/**
 * Runs a program without a shell and returns its exit code and output. A program that cannot be started or, unless
 * `allowFailure`, exits non-zero throws a KilnError with the last lines that it printed. A stream of input that breaks off
 * throws its own error.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const signal = options.signal ?? interruption.signal;
  throwIfAborted(signal);
  const inputFile = options.inputFile === undefined ? undefined : await open(options.inputFile);
  const outputFile = options.outputFile === undefined ? undefined : await open(options.outputFile, "w");
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: [
      inputFile?.fd ?? (options.input === undefined ? "ignore" : "pipe"),
      options.outputLimit === undefined ? (outputFile?.fd ?? "pipe") : "pipe",
      "pipe",
    ],
    detached: true,
  });
  let killTimer: NodeJS.Timeout | undefined;
  const endGroup = () => {
    signalGroup(child.pid, "SIGTERM");
    killTimer = setTimeout(() => {
      signalGroup(child.pid, "SIGKILL");
    }, GRACE_MS);
  };
  signal.addEventListener("abort", endGroup, { once: true });

  const stdout: string[] = [];
  const stderr: string[] = [];
  const { stdout: out, stderr: err } = child;
  if ((!out && !outputFile) || !err) throw new KilnError("failed", `${command} was started without pipes`);
  const keep = (kept: string[]) => (text: string) => {
    if (options.discardOutput !== true) kept.push(text);
  };
  const written =
    out && outputFile ? writeLimited(out, outputFile, options.outputLimit ?? Infinity, endGroup) : undefined;
  if (written === undefined) out?.setEncoding("utf8").on("data", keep(stdout));
  err.setEncoding("utf8").on("data", keep(stderr));
  if (out && options.onStdoutLine) readLines(out, options.onStdoutLine);
  if (options.onStderrLine) readLines(err, options.onStderrLine);
  const sent = child.stdin === null ? undefined : send(options.input, child.stdin, endGroup);

  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause) => {
      reject(new KilnError("unreachable", `cannot run ${command}: ${cause.message}`, { cause }));
    });
    child.once("close", (exitCode, exitSignal) => {
      resolve(exitCode ?? (exitSignal === "SIGKILL" ? 137 : 143));
    });
  }).finally(async () => {
    await Promise.all([inputFile?.close(), Promise.resolve(written).then(() => outputFile?.close())]);
    clearTimeout(killTimer);
    signal.removeEventListener("abort", endGroup);
  });

  throwIfAborted(signal);
  const broken = (await sent) ?? (await written);
  if (broken !== undefined) throw broken;
  const result = { code, stdout: stdout.join(""), stderr: stderr.join("") };
  if (code !== 0 && options.allowFailure !== true) {
    const printed = lastLines(result.stderr.trim() === "" ? result.stdout : result.stderr, 12);
    const said = withoutProxySecrets(printed, options.env ?? process.env);
    throw new KilnError("failed", `${command} ${args.slice(0, 3).join(" ")} … exited with ${code}:\n${said}`);
  }
  return result;
}

/** What a pipe says whose reader ended first: the reader's exit code says more. */
const READER_ENDED = new Set<unknown>(["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"]);

/** Resolves once all is written or the reader has ended. An error of the input itself ends the reader and is returned. */
async function send(input: RunOptions["input"], to: Writable, endReader: () => void): Promise<Error | undefined> {
  if (input === undefined || typeof input === "string" || Buffer.isBuffer(input)) {
    to.on("error", () => undefined).end(input);
    return undefined;
  }
  try {
    await pipeline(input, to);
    return undefined;
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if ("code" in error && READER_ENDED.has(error.code)) return undefined;
    endReader();
    return error;
  }
}

/** Writes a stream to a file. What ends that, such as its being longer than `limit`, ends the writer too, and is returned. */
async function writeLimited(
  from: Readable,
  file: FileHandle,
  limit: number,
  endWriter: () => void,
): Promise<Error | undefined> {
  let left = limit;
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      left -= chunk.length;
      if (left < 0) throw new KilnError("failed", `there is more of it than the ${limit} bytes that are taken`);
      await file.writeFile(chunk);
    }
    return undefined;
  } catch (cause) {
    endWriter();
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}

function readLines(from: Readable, onLine: (line: string) => void): void {
  const reader = new LineReader(onLine);
  from
    .on("data", (text: string) => {
      reader.write(text);
    })
    .on("end", () => {
      reader.end();
    });
}

/**
 * Runs a program whose output people see as it comes, and gives its exit code once it has ended by itself. An interruption
 * reaches it as SIGINT, through the terminal or from here, and throws after its end.
 */
export async function runAttached(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly stdout: "inherit" | "stderr" },
): Promise<number> {
  throwIfInterrupted();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ["ignore", options.stdout === "stderr" ? 2 : "inherit", "inherit"],
  });
  const forward = () => {
    if (!process.stdin.isTTY) child.kill("SIGINT");
  };
  interruption.signal.addEventListener("abort", forward, { once: true });
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause) => {
      reject(new KilnError("unreachable", `cannot run ${command}: ${cause.message}`, { cause }));
    });
    child.once("close", (exitCode) => {
      resolve(exitCode ?? 1);
    });
  }).finally(() => {
    interruption.signal.removeEventListener("abort", forward);
  });
  throwIfInterrupted();
  return code;
}

/** The last `count` lines of a text, without trailing blank lines. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group ended by itself.
  }
}
