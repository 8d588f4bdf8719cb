/** A part of a text. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** How many characters words are looked up by: the first number that a word is not shorter than. */
const KEYS = [16, 8, 4, 3, 2, 1] as const;

/** Many words by their beginnings, to be found in texts; the same as redactor.go of images/programs/redact. */
export class SecretIndex {
  /** By key, longest first: a longer word wins over one that it begins with. */
  readonly #byKey = new Map<string, readonly string[]>();
  /** All beginnings of words that are shorter than the longest key. */
  readonly #starts = new Set<string>();
  /** 1 for pairs of characters that a word may begin with: most places of a text are no more looked at. */
  readonly #pairs = new Uint8Array(1 << 16);
  readonly #keys: readonly number[];
  readonly #longest: number;

  constructor(words: Iterable<string>) {
    const lists = Map.groupBy(new Set(words), (word) =>
      word.slice(
        0,
        KEYS.find((key) => word.length >= key),
      ),
    );
    lists.delete("");
    let longest = 0;
    for (const [key, list] of lists) {
      this.#byKey.set(
        key,
        list.sort((a, b) => b.length - a.length),
      );
      longest = Math.max(longest, list[0]?.length ?? 0);
      this.#pairs[pairAt(key, 0)] = 1;
      for (const word of key.length < KEYS[0] ? list : [key]) {
        for (let length = 1; length < word.length; length++) this.#starts.add(word.slice(0, length));
      }
    }
    this.#keys = [...new Set([...lists.keys()].map((key) => key.length))].sort((a, b) => b - a);
    this.#longest = longest;
  }

  /** The words in a text, those that share a character as one. */
  find(text: string): Span[] {
    const found: Span[] = [];
    for (let at = 0; at < text.length; at++) {
      const length = this.#match(text, at);
      if (length === 0) continue;
      const last = found.at(-1);
      if (last === undefined || at >= last.to) found.push({ from: at, to: at + length });
      else if (at + length > last.to) found[found.length - 1] = { from: last.from, to: at + length };
    }
    return found;
  }

  /** Where the longest end of a text begins that more text could make a word of; its length where none could. */
  decided(text: string): number {
    for (let at = Math.max(0, text.length - this.#longest + 1); at < text.length; at++) {
      if (this.#begins(text, at)) return at;
    }
    return text.length;
  }

  #match(text: string, at: number): number {
    if (this.#pairs[pairAt(text, at)] === 0) return 0;
    for (const key of this.#keys) {
      const word = this.#byKey.get(text.slice(at, at + key))?.find((one) => text.startsWith(one, at));
      if (word !== undefined) return word.length;
    }
    return 0;
  }

  /** Whether a text is from a place on the beginning of a longer word. */
  #begins(text: string, at: number): boolean {
    if (at + 1 < text.length && this.#pairs[pairAt(text, at)] === 0) return false;
    const end = text.slice(at);
    if (end.length < KEYS[0]) return this.#starts.has(end);
    const words = this.#byKey.get(end.slice(0, KEYS[0])) ?? [];
    return words.some((word) => word.length > end.length && word.startsWith(end));
  }
}

/** A number for the two characters at a place; that of others may be the same beyond Latin 1. */
function pairAt(text: string, at: number): number {
  return (text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 8)) & 0xffff;
}
