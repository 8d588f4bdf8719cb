/** Seconds: what each comparison of `overheads` may have at most, and the entrypoint alone. */
export const LIMITS = { container: 0.6, entrypoint: 0.03 } as const;

/** What every way is beside what it is compared with, in seconds, and whether all of it is within the limits. */
export interface Verdict {
  readonly above: Readonly<Record<string, number>>;
  readonly holds: boolean;
}

/**
 * Judges the 95th percentiles of ways, in seconds by name. Container and entrypoint may cost a no-op container and the limit
 * more: as a refusal, which is all but the tool, and as a preview, of which what the tool takes is subtracted, measured in
 * a container of its own and on this machine.
 */
export function verdict(p95: (name: string) => number): Verdict {
  const above = {
    contained: rounded(p95("contained") - p95("noop")),
    executed: rounded(p95("executed") - p95("noop")),
    ...Object.fromEntries(
      ["previewed", "previewed by executor"].flatMap((name) => [
        [`${name}, above the tool in a container`, rounded(p95(name) - p95("tool"))],
        [`${name}, above the tool and the no-op`, rounded(p95(name) - p95("direct") - p95("noop"))],
      ]),
    ),
  };
  const holds = Math.max(...Object.values(above)) <= LIMITS.container && p95("entrypoint") <= LIMITS.entrypoint;
  return { above, holds };
}

/** To a tenth of a millisecond. */
export function rounded(seconds: number): number {
  return Number(seconds.toFixed(4));
}
