import { KilnError } from "../../errors.ts";
import { settlesFirst } from "../settles-first.ts";

/**
 * An answer that several wait for: it is asked for once, and each stops waiting by a signal of its own without taking it
 * from the others. The question is given up once nobody waits for it any more.
 */
export class SharedAnswer<T> {
  /** As it comes, for who does not wait by a signal. */
  readonly answer: Promise<T>;
  readonly #what: string;
  readonly #giveUp = new AbortController();
  #waiting = 0;

  /** `what` names for an error what is waited for. */
  constructor(what: string, ask: (until: AbortSignal) => Promise<T>) {
    this.#what = what;
    this.answer = ask(this.#giveUp.signal);
    this.answer.catch(() => undefined);
  }

  get isWaitedFor(): boolean {
    return this.#waiting > 0;
  }

  /** The answer, or its error. Throws where the signal comes first: `interrupted`, or `unreachable` for the end of a job's time. */
  async before(signal: AbortSignal): Promise<T> {
    this.#waiting += 1;
    try {
      if (await settlesFirst(this.answer, signal)) return await this.answer;
      if ((signal.reason as Error).name !== "TimeoutError") throw new KilnError("interrupted", "interrupted");
      throw new KilnError("unreachable", `${this.#what} did not come within the job's time`);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#giveUp.abort();
    }
  }
}
