import { size, table } from "../cli/printer.ts";
import { verdict, type Judged, type Report } from "./report.ts";

/** The report for people: a row for each bound, the raw figures below, what is missing last. */
export function reportText({ rows, figures, missing }: Report): string {
  const lines = rows.map((row) => [
    row.name === "" ? row.figure : `${row.figure} (${row.name})`,
    targetText(row),
    row.value === undefined ? "missing" : shown(row, row.value),
    verdict(row),
    row.about,
  ]);
  const reasons = Object.entries(missing).map(([key, reason]) => `  ${key}: ${reason.split("\n").join("\n    ")}`);
  return [
    table([["figure", "target", "value", "", "what"], ...lines]),
    table(Object.entries(figures).map(([name, value]) => [name, rawText(name, value)])),
    ...(reasons.length === 0 ? [] : [`missing:\n${reasons.join("\n")}`]),
  ].join("\n\n");
}

function targetText(row: Judged): string {
  if (row.limit === undefined) return "";
  return row.least === undefined
    ? `at most ${shown(row, row.limit)}`
    : `${shown(row, row.least)} to ${shown(row, row.limit)}`;
}

function shown({ unit }: Pick<Judged, "unit">, value: number): string {
  if (unit === "s") return `${value.toFixed(2)} s`;
  if (unit === "") return String(value);
  return `${value.toFixed(value < 0.1 ? 3 : 2)}${unit === "x" ? "x" : ` ${unit}`}`;
}

/** A raw value with the unit that its name says. */
function rawText(name: string, value: unknown): string {
  if (typeof value === "number") {
    if (name.endsWith("bytes")) return size(value);
    return name.endsWith("seconds") ? `${value.toFixed(2)} s` : String(value);
  }
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((one) => rawText(name, one)).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value as Readonly<Record<string, unknown>>)
    .map(([key, one]) => `${key} ${rawText(name, one)}`)
    .join(", ");
}
