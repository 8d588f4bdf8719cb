/** What a long step tells the person who waits. The command line prints it; tests and other callers pass `silent`. */
export interface Progress {
  /** A new phase starts: one short line. */
  step(text: string): void;
  /** Where the running phase is: `done` of `total` in any one unit; the printer works out the time left. */
  update(text: string, done: number, total: number): void;
  /** A fact worth a line of its own: a fallback taken, a module left out. */
  note(text: string): void;
}

const nothing = () => undefined;

export const silent: Progress = { step: nothing, update: nothing, note: nothing };
