import { KilnError } from "../../errors.ts";

/**
 * What a step wrote to GITHUB_OUTPUT or GITHUB_ENV: `name=value` lines, and `name<<END` with lines up to `END`. Throws for
 * what is neither, as GitHub does.
 */
export function parseCommandFile(text: string, file: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    const [, name = "", sign, rest = ""] = /^([^=<]+?)(=|<<)(.*)$/s.exec(line) ?? [];
    if (sign === undefined) throw wrong(file, `has the line "${line.slice(0, 40)}", which is no NAME=VALUE`);
    if (sign === "=") {
      values[name] = rest;
      continue;
    }
    const end = lines.indexOf(rest, at + 1);
    if (end === -1) throw wrong(file, `has no line "${rest}" that ends the value of ${name}`);
    values[name] = lines.slice(at + 1, end).join("\n");
    at = end;
  }
  return values;
}

/** Refuses variables that a step may not set for those after it: what runs them, and what this machine says of the run. */
export function checkVariables(names: readonly string[]): void {
  const taken = names.find((name) => name === "NODE_OPTIONS" || /^(?:GITHUB|RUNNER)_/.test(name));
  if (taken !== undefined) throw wrong("GITHUB_ENV", `sets ${taken}, which GitHub does not let a step set`);
}

function wrong(file: string, what: string): KilnError {
  return new KilnError("failed", `${file} ${what}`, { mend: "Mend the step that wrote it." });
}
