import { KilnError } from "../../errors.ts";
import { amount, count, may, textLike, type Place } from "../module/document.ts";

/** What a job may use. Sizes as docker takes them: `512m`, `2g`. */
export interface JobLimits {
  /** What its folders in memory hold is part of it. */
  readonly memory: string;
  readonly cpus: number;
  readonly pids: number;
  /** Each of its folders, `/workspace` and `/tmp`. */
  readonly disk: string;
}

export const DEFAULT_LIMITS: JobLimits = { memory: "1g", cpus: 1, pids: 256, disk: "256m" };

const SIZE = /^([1-9]\d{0,15})([bkmgBKMG]?)$/;
const POWERS: Readonly<Record<string, number>> = { "": 0, b: 0, k: 1, m: 2, g: 3 };

/** Bytes of a size such as `512m`. Throws a usage error on any other text. */
export function bytesOf(size: string): number {
  const [, digits, unit = ""] = SIZE.exec(size) ?? [];
  const bytes = Number(digits) * 1024 ** (POWERS[unit.toLowerCase()] ?? 0);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new KilnError("usage", `"${size}" is no size`, { mend: "Write such as 512m or 2g." });
}

/** The limits of a document, the absent ones by default. */
export function limitsAt(place: Place): JobLimits {
  const size = textLike(SIZE, "a size such as 512m");
  return checkedLimits({
    ...DEFAULT_LIMITS,
    ...may(place, "memory", size),
    ...may(place, "cpus", amount),
    ...may(place, "pids", count),
    ...may(place, "disk", size),
  });
}

/** `memory=512m,cpus=0.5,pids=64,disk=64m`, in any order and number. Throws a usage error on anything else. */
export function parseLimits(text: string): JobLimits {
  const given: Record<string, string | number> = {};
  for (const part of text.split(",").filter((one) => one.trim() !== "")) {
    const [, name = "", value = ""] = /^\s*(memory|cpus|pids|disk)=(\S+)\s*$/.exec(part) ?? [];
    if (name === "" || name in given) {
      throw new KilnError("usage", `--limits: "${part.trim()}" is no limit`, {
        mend: "Write memory=512m,cpus=0.5,pids=64,disk=64m, each at most once.",
      });
    }
    given[name] = name === "cpus" || name === "pids" ? Number(value) : value;
  }
  return checkedLimits({ ...DEFAULT_LIMITS, ...given });
}

function checkedLimits(limits: JobLimits): JobLimits {
  bytesOf(limits.memory);
  bytesOf(limits.disk);
  const { cpus, pids } = limits;
  // A thousandth is the least that both Docker and Kubernetes count.
  if (!(cpus >= 0.001 && cpus <= 1024)) {
    throw new KilnError("usage", `${cpus} is no number of processors`, { mend: "Write such as 0.5 or 2." });
  }
  if (!(Number.isInteger(pids) && pids > 0)) {
    throw new KilnError("usage", `${pids} is no number of processes`, { mend: "Write such as 256." });
  }
  return limits;
}
