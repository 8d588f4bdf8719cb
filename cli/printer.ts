import type { Progress } from "../progress.ts";
import { printable, printableLine } from "./printable.ts";

export interface PrinterOptions {
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly quiet: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds since any fixed moment. */
  readonly now: () => number;
}

/** Without a terminal a running phase says where it is once in so many milliseconds. */
const PLAIN_INTERVAL_MS = 10_000;
const LIVE_INTERVAL_MS = 100;

/**
 * Progress as people read it, on standard error: a live line on a terminal, a plain line now and then elsewhere, nothing
 * when quiet. Colour only on a terminal without NO_COLOR.
 */
export function printer({ stream, quiet, env, now }: PrinterOptions): Progress & { close(): void } {
  const live = stream.isTTY === true && env.CI === undefined && env.TERM !== "dumb";
  const colour = live && (env.NO_COLOR ?? "") === "";
  let [phaseStart, lastUpdate, liveLine] = [now(), -Infinity, false];
  const clear = () => {
    if (liveLine) stream.write("\r\u001b[K");
    liveLine = false;
  };
  const line = (text: string) => {
    clear();
    stream.write(`${text}\n`);
  };
  if (quiet) return { step: nothing, update: nothing, note: nothing, close: nothing };
  return {
    step(text) {
      [phaseStart, lastUpdate] = [now(), -Infinity];
      line(`${colour ? "\u001b[1m==>\u001b[0m" : "==>"} ${printable(text)}`);
    },
    update(text, done, total) {
      const at = now();
      if (at - lastUpdate < (live ? LIVE_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
      lastUpdate = at;
      const said = `    ${progressText(printableLine(text), done, total, at - phaseStart)}`;
      if (!live) {
        stream.write(`${said}\n`);
        return;
      }
      clear();
      stream.write(said.slice(0, (stream.columns ?? 80) - 1));
      liveLine = true;
    },
    note(text) {
      line(`    ${printable(text)}`);
    },
    close: clear,
  };
}

/** `45%  1m 10s left  text`; without a total, or too early to tell, only what can be said. */
export function progressText(text: string, done: number, total: number, elapsedMs: number): string {
  if (total <= 0 || done <= 0) return text;
  const fraction = Math.min(done / total, 1);
  const percent = `${Math.floor(fraction * 100)}%`.padStart(4);
  if (fraction < 0.02 || elapsedMs < 2_000) return `${percent}  ${text}`;
  return `${percent}  ${duration((elapsedMs / 1000) * (1 / fraction - 1))} left  ${text}`;
}

/** Seconds as `1m 10s` or `7s`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m ${whole % 60}s`;
}

/** Bytes as `1.2 GB`, in powers of ten. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, power] = [bytes, 0];
  // What rounds to a thousand is one of the next unit.
  for (; value >= 999.5 && power < units.length - 1; power++) value /= 1000;
  return `${value < 9.95 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power] ?? ""}`;
}

/** Rows as columns of equal width; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function nothing(): void {
  return undefined;
}
