/** Times the phases of a command. Called with a phase and its work, it gives what the work gives. */
export interface PhaseClock {
  <T>(phase: string, work: () => Promise<T>): Promise<T>;
  /** A phase that was timed elsewhere, in seconds. */
  add(phase: string, seconds: number): void;
  /** Wall seconds by phase, to a tenth, in the order of their ends. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** A clock that has timed nothing yet. */
export function phaseClock(): PhaseClock {
  const seconds: Record<string, number> = {};
  const add = (phase: string, taken: number) => {
    seconds[phase] = Math.round(((seconds[phase] ?? 0) + taken) * 10) / 10;
  };
  const clock = async <T>(phase: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    try {
      return await work();
    } finally {
      add(phase, (performance.now() - start) / 1000);
    }
  };
  return Object.assign(clock, { seconds, add });
}
