import { eventLine } from "../event-line.ts";
import type { Redactor } from "../redactor.ts";
import { EVENT_KINDS, type ModuleEvent } from "./response.ts";

/**
 * Turns what a container prints into events, secrets replaced: the entrypoint's lines are events already, any other line,
 * such as that of an image's own entrypoint, is a log.
 */
export class EventReader {
  readonly #redactor: Redactor;
  readonly #listener: (event: ModuleEvent) => void;

  constructor(redactor: Redactor, listener: (event: ModuleEvent) => void) {
    this.#redactor = redactor;
    this.#listener = listener;
  }

  /** A line of standard output. */
  line(line: string): void {
    const event = eventOf(line);
    if (event === undefined) this.#log(line, "stdout");
    else this.#listener(this.#redactor.document(event));
  }

  /** A line of standard error, the docker client's own included. */
  errorLine(line: string): void {
    this.#log(line, "stderr");
  }

  #log(line: string, stream: string): void {
    // A NUL is no text for whatever stores events.
    const text = this.#redactor.text(line.replaceAll("\0", "\u2400"));
    this.#listener({ at: new Date().toISOString(), kind: "log", stream, message: text });
  }
}

function eventOf(line: string): ModuleEvent | undefined {
  const event = eventLine(line);
  const kind = EVENT_KINDS.find((known) => known === event?.kind);
  return event === undefined || kind === undefined ? undefined : { ...event, kind };
}
