import { KilnError } from "../errors.ts";

/** One thing that kiln needs, and how it stands with it on this machine. */
export interface Finding {
  readonly name: string;
  /** The version found, or the one wanted where it is missing. */
  readonly version: string;
  /** `refused`: it is there, but kiln cannot work with it. */
  readonly status: "ok" | "missing" | "refused";
  /** Where it comes from; of what is refused, the reason. */
  readonly source: string;
  readonly path?: string;
  /** What to do about it. */
  readonly mend?: string;
  /** Whether a person must do it: kiln gets the others by itself when it needs them. */
  readonly blocks: boolean;
}

/** Why kiln cannot work with something that a machine has, and what to do about it. */
export interface Refusal {
  readonly reason: string;
  readonly mend: string;
}

/** Whether a person has to do something before kiln can work here. */
export function isBlocked(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.status !== "ok" && finding.blocks);
}

/** The row of what is there and cannot be used. */
export function refusedFinding(name: string, version: string, { reason, mend }: Refusal): Finding {
  return { name, version, status: "refused", source: reason, mend, blocks: true };
}

/** Ends a command with what `kiln doctor` says, where there is something to say. */
export function throwIfRefused(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new KilnError("unreachable", refusal.reason, { mend: refusal.mend });
}
