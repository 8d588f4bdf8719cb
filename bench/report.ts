import { messageOf } from "../errors.ts";
import type { Bound, Figure, Found, Results } from "./figure.ts";

/** A bound with what became of it. */
export interface Judged extends Bound {
  readonly figure: string;
  readonly value?: number;
  /** Why there is no value. */
  readonly missing?: string;
}

/** What the bench says in the end. */
export interface Report {
  /** By figure: its value, or its values by bound where it has several; each of those also as `figure_bound`. */
  readonly ratios: Readonly<Record<string, unknown>>;
  /** What the ratios were computed from, with units in the names. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** Bounds without a value, by `figure` or `figure_bound`, with the reason. */
  readonly missing: Readonly<Record<string, string>>;
  readonly rows: readonly Judged[];
}

/** Computes all figures from what the steps found; one that cannot be computed is missing, with the reason. */
export function makeReport(figures: readonly Figure[], results: Results): Report {
  const ratios: Record<string, unknown> = {};
  const raw: Record<string, unknown> = {};
  const rows: Judged[] = [];
  for (const figure of figures) {
    const found = findOrReason(figure, results);
    if (typeof found !== "string") Object.assign(raw, found.figures);
    const judged = figure.bounds.map((bound) => judge(figure.key, bound, found));
    rows.push(...judged);
    const values = judged.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
    for (const [name, value] of values) ratios[keyOf(figure.key, name)] = value;
    if (figure.bounds.length > 1 && values.length > 0) ratios[figure.key] = Object.fromEntries(values);
  }
  const missing = rows.flatMap(({ figure, name, missing: reason }) =>
    reason === undefined ? [] : [[keyOf(figure, name), reason] as const],
  );
  return { ratios, figures: raw, missing: Object.fromEntries(missing), rows };
}

function findOrReason(figure: Figure, results: Results): Found | string {
  try {
    return figure.find(results);
  } catch (error) {
    return messageOf(error);
  }
}

function judge(figure: string, bound: Bound, found: Found | string): Judged {
  if (typeof found === "string") return { ...bound, figure, missing: found };
  const value = found.values[bound.name];
  if (value !== undefined && Number.isFinite(value)) return { ...bound, figure, value };
  return { ...bound, figure, missing: found.missing?.[bound.name] ?? "it was not measured" };
}

function keyOf(figure: string, bound: string): string {
  return bound === "" ? figure : `${figure}_${bound}`;
}

/** `met` or `missed`; nothing where there is no target or no value. */
export function verdict({ value, limit, least = -Infinity }: Judged): "met" | "missed" | "" {
  if (value === undefined || limit === undefined) return "";
  return value <= limit && value >= least ? "met" : "missed";
}
