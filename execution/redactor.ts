import { SecretIndex } from "./secret-index.ts";
import { spellingsOf } from "./secret-spellings.ts";
import { joined, runBefore, Unfolded } from "./unfolded.ts";

/** What stands in place of a secret. */
export const REDACTED = "[secret]";

/**
 * Replaces secrets in text that comes in pieces, in every spelling of `spellingsOf`, also where it is folded over lines. Of each
 * piece it holds back only what may be the beginning of a secret. `redactor-vectors.json` says what it and the entrypoint's must do.
 */
export class Redactor {
  readonly #index: SecretIndex;
  /** What was read and not given back, and how many characters of base64 stood before it. */
  #held = "";
  #run = 0;

  /** Of secrets, or for another stream of the same secrets as another redactor. */
  constructor(secrets: Iterable<string> | Redactor) {
    this.#index = secrets instanceof Redactor ? secrets.#index : new SecretIndex([...secrets].flatMap(spellingsOf));
  }

  /** Takes the next piece and returns the text that is known to be free of secrets by now. */
  write(piece: string): string {
    return this.#give(this.#held + piece, false);
  }

  /** The rest: a beginning of a secret that did not go on. */
  end(): string {
    return this.#give(this.#held, true);
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

  /** Replaces secrets, those that share a character as one, and keeps what may go on as one. */
  #give(text: string, end: boolean): string {
    const index = this.#index;
    const flat = new Unfolded(text, this.#run);
    const raw = index.find(text);
    const crossing = flat.folds.length === 0 ? [] : index.find(flat.text).map((span) => flat.parts(span));
    const folded = crossing.filter((parts) => parts.length > 1);
    let limit = end ? text.length : Math.min(index.decided(text), flat.place(index.decided(flat.text)));
    const whole = folded.map((parts) => ({ from: parts[0].from, to: parts.at(-1)?.to ?? parts[0].to }));
    for (const { from, to } of joined([...raw, ...whole]).toReversed()) if (from < limit && to > limit) limit = from;
    const out: string[] = [];
    let at = 0;
    for (const { from, to } of joined([...raw, ...folded.flat()])) {
      if (to > limit) break;
      out.push(text.slice(at, from), REDACTED);
      at = to;
    }
    out.push(text.slice(at, limit));
    this.#held = text.slice(limit);
    this.#run = end ? 0 : runBefore(text, limit, this.#run);
    return out.join("");
  }
}
