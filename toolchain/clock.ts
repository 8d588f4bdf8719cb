import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { refusedFinding, type Finding, type Refusal } from "./finding.ts";
import type { Places } from "./places.ts";

/** A date that has passed for sure, and what says so. */
export interface PastDate {
  readonly date: Date;
  readonly by: string;
}

/** Another machine may have written the files of a checkout; its clock is no better than this. */
const TOLERATED_MS = 24 * 60 * 60 * 1000;

/** Files of a checkout that are never older than its last change. */
const CHECKOUT_FILES = ["package-lock.json", "toolchain/pins.json"];

/** Dates that lie in the past of any machine with this checkout: its files', and when its Go was released. */
export async function pastDates(places: Places, goRoot: string | undefined): Promise<readonly PastDate[]> {
  const files = CHECKOUT_FILES.map((name) => path.join(places.project, name));
  const dates = files.map(async (file) => ({ date: (await stat(file)).mtime, by: file }));
  const release = goRoot === undefined ? undefined : await goRelease(path.join(goRoot, "VERSION"));
  return [...(await Promise.all(dates)), ...(release ? [release] : [])];
}

/** Why a clock cannot be right; undefined where nothing speaks against it. */
export function clockRefusal(now: Date, past: readonly PastDate[]): Refusal | undefined {
  const [latest] = [...past].sort((a, b) => b.date.getTime() - a.date.getTime());
  if (latest === undefined || now.getTime() >= latest.date.getTime() - TOLERATED_MS) return undefined;
  return {
    reason: `the clock says ${day(now)}, but ${latest.by} is of ${day(latest.date)}: certificates would be refused as not yet valid, and cache entries would carry wrong dates`,
    mend: "set the clock (systemd: timedatectl set-ntp true; by hand: date -s)",
  };
}

/** How it stands with the clock. */
export function clockFinding(now: Date, past: readonly PastDate[]): Finding {
  const refusal = clockRefusal(now, past);
  if (refusal !== undefined) return refusedFinding("clock", day(now), refusal);
  return { name: "clock", version: day(now), status: "ok", source: "no file is of later", blocks: true };
}

/** When a Go was released, as the file VERSION of its GOROOT says from Go 1.21 on. */
async function goRelease(file: string): Promise<PastDate | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  const [, version = "", time = ""] = /^(go\S+)\ntime (\S+)$/m.exec(text) ?? [];
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : { date, by: `the release of ${version}` };
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
