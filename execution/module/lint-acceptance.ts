import { parseDockerfile, type LintFinding } from "./lint.ts";

/** `# accepted DL3008, DL3009: reason`, in the comments right above an instruction. */
const ACCEPTED = /^\s*#\s*accepted\s+([A-Z]{2}\d+(?:\s*,\s*[A-Z]{2}\d+)*)\s*(?::\s*(.*))?$/;

/** Somebody's word that what a rule says of an instruction is meant so. */
interface Acceptance {
  readonly code: string;
  /** Of the comment itself. */
  readonly line: number;
  /** Of the instruction below it. */
  readonly of: number;
  readonly reason: string;
}

/**
 * The findings that nobody accepted beside the line, and a finding for each acceptance that gives no reason or that nothing needs
 * any more: otherwise they would outlive what they were for. Pure.
 */
export function unaccepted(text: string, findings: readonly LintFinding[]): readonly LintFinding[] {
  const acceptances = acceptancesIn(text);
  const isOf = ({ code, of }: Acceptance, finding: LintFinding) => code === finding.code && of === finding.line;
  const left = findings.filter((finding) => !acceptances.some((one) => isOf(one, finding)));
  const faults = acceptances.flatMap((one) => {
    if (!findings.some((finding) => isOf(one, finding))) {
      return [{ code: "KM007", line: one.line, message: `${one.code} is accepted, and is not there: take it out` }];
    }
    if (one.reason !== "") return [];
    return [{ code: "KM007", line: one.line, message: `${one.code} is accepted without a reason` }];
  });
  return [...left, ...faults].sort((a, b) => a.line - b.line || (a.code < b.code ? -1 : 1));
}

function acceptancesIn(text: string): readonly Acceptance[] {
  const starts = parseDockerfile(text).map(({ line }) => line);
  return text.split("\n").flatMap((comment, index) => {
    const [, codes, reason = ""] = ACCEPTED.exec(comment) ?? [];
    if (codes === undefined) return [];
    const line = index + 1;
    const of = starts.find((start) => start > line) ?? line;
    return codes.split(",").map((code) => ({ code: code.trim(), line, of, reason: reason.trim() }));
  });
}
