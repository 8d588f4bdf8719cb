import { automatonOf, step, type Node } from "./automaton.ts";
import { spellingsOf } from "./secret-spellings.ts";

/** What stands in place of a secret. */
export const REDACTED = "[secret]";

/**
 * Replaces secrets in text that comes in pieces, in every spelling of `spellingsOf`. Of each piece it holds back only what
 * may be the beginning of a secret. `redactor-vectors.json` says what it and the entrypoint's must do.
 */
export class Redactor {
  readonly #root: Node;
  #state: Node;
  /** What was read and not given back, and the ranges of secrets in it. */
  #held = "";
  #ranges: (readonly [start: number, end: number])[] = [];

  /** Of secrets, or for another stream of the same secrets as another redactor. */
  constructor(secrets: Iterable<string> | Redactor) {
    this.#root = secrets instanceof Redactor ? secrets.#root : automatonOf(new Set([...secrets].flatMap(spellingsOf)));
    this.#state = this.#root;
  }

  /** Takes the next piece and returns the text that is known to be free of secrets by now. */
  write(piece: string): string {
    const start = this.#held.length;
    this.#held += piece;
    for (let at = start; at < this.#held.length; at++) {
      this.#state = step(this.#state, this.#held.charAt(at), this.#root);
      if (this.#state.matched > 0) this.#add(at + 1 - this.#state.matched, at + 1);
    }
    return this.#give(this.#held.length - this.#state.depth);
  }

  /** The rest: a beginning of a secret that did not go on. */
  end(): string {
    this.#state = this.#root;
    return this.#give(this.#held.length);
  }

  /** A text as a whole; the stream that is being written stays as it is. */
  text(whole: string): string {
    const other = new Redactor(this);
    return other.write(whole) + other.end();
  }

  /**
   * A copy of a JSON document with every text in it redacted, names of fields too. A number that tells a secret becomes a
   * text; a truth value is none: there are two of them.
   */
  document<T>(value: T): T {
    return this.#copy(value) as T;
  }

  #copy(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((one) => this.#copy(one));
    if (typeof value === "number") return this.#number(value);
    if (typeof value !== "object" || value === null) return value;
    // A frozen object without a prototype is a number of JSON.rawJSON, which has more digits than a double.
    if (Object.getPrototypeOf(value) === null && Object.isFrozen(value)) return this.#number(value);
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [this.text(name), this.#copy(one)]));
  }

  #number(value: unknown): unknown {
    const digits = JSON.stringify(value);
    return this.text(digits) === digits ? value : REDACTED;
  }

  /** Joins a range with those that it shares a character with; two that only touch are two secrets. */
  #add(start: number, end: number): void {
    let from = start;
    for (let last = this.#ranges.at(-1); last !== undefined && last[1] > from; last = this.#ranges.at(-1)) {
      from = Math.min(from, last[0]);
      this.#ranges.pop();
    }
    this.#ranges.push([from, end]);
  }

  #give(limit: number): string {
    const crossing = this.#ranges.find(([start, end]) => start < limit && end > limit);
    const upTo = crossing?.[0] ?? limit;
    const parts: string[] = [];
    let at = 0;
    for (const [start, end] of this.#ranges.filter((range) => range[1] <= upTo)) {
      parts.push(this.#held.slice(at, start), REDACTED);
      at = end;
    }
    parts.push(this.#held.slice(at, upTo));
    this.#held = this.#held.slice(upTo);
    this.#ranges = this.#ranges.filter((range) => range[1] > upTo).map(([start, end]) => [start - upTo, end - upTo]);
    return parts.join("");
  }
}
