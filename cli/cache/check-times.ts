import type { ProgramCheck } from "../../cache/verification.ts";

/** Heads of the columns of `checkTimes`. */
export const CHECK_TIMES = ["first", "again", "binary"] as const;

/** What a program's first build took, the same build again, and the start of its binary: empty what was not tried. */
export function checkTimes({ firstSeconds, secondSeconds, startSeconds }: ProgramCheck): readonly string[] {
  const built = firstSeconds > 0 || startSeconds === undefined;
  return [
    built ? `${firstSeconds.toFixed(1)} s` : "",
    secondSeconds === undefined ? "" : `${secondSeconds.toFixed(1)} s`,
    startSeconds === undefined ? "" : `${startSeconds.toFixed(2)} s`,
  ];
}
