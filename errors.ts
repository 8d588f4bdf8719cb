/**
 * Exit codes of the `kiln` command: the work failed, wrong usage or bad input, a check found a difference,
 * something outside could not be reached, interrupted.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, difference: 3, unreachable: 4, interrupted: 130 } as const;

export type ErrorKind = Exclude<keyof typeof EXIT, "done">;

/** A failure that a person can act on: what is wrong and where, then what to do (`mend`). Its kind decides the exit code. */
export class KilnError extends Error {
  readonly kind: ErrorKind;
  readonly mend: string | undefined;

  constructor(kind: ErrorKind, message: string, options: { mend?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "KilnError";
    this.kind = kind;
    this.mend = options.mend;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
