import { EXIT } from "../errors.ts";
import { diagnose } from "../toolchain/doctor.ts";
import { isBlocked, type Finding } from "../toolchain/finding.ts";
import { places } from "../toolchain/places.ts";
import type { Command } from "./command.ts";
import { noArguments } from "./options.ts";

/** `kiln doctor`: what this machine has of what kiln needs, and what to do about the rest. */
export const doctor: Command = {
  name: "doctor",
  summary: "Show what this machine has of what kiln needs, and how to mend the rest. Changes nothing.",
  usage: "",
  options: {},
  help: {},
  async run({ positionals }) {
    noArguments(positionals);
    const findings = await diagnose(places());
    const exitCode = isBlocked(findings) ? EXIT.unreachable : EXIT.done;
    return { json: { ok: exitCode === EXIT.done, rows: findings }, text: table(findings), exitCode };
  },
};

function table(findings: readonly Finding[]): string {
  const rows = findings.map((row) => {
    const head = [row.status, row.name, row.version];
    // A reason is a sentence: it would make its column as wide as itself.
    return row.status === "refused"
      ? [...head, "", `${row.source}: ${row.mend ?? ""}`]
      : [...head, row.source, row.mend ?? row.path ?? ""];
  });
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
