/** What is longer comes as several lines: memory has an end, texts have one. The same as longestLine of images/programs/child. */
const LONGEST_LINE = 8 * 1024 * 1024;

/** Cuts a text that comes in pieces into lines, at `\n`, `\r\n`, and the `\r` of progress bars. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #longest: number;
  #begun = "";
  #afterReturn = false;

  constructor(onLine: (line: string) => void, longest = LONGEST_LINE) {
    this.#onLine = onLine;
    this.#longest = longest;
  }

  write(piece: string): void {
    // The other half of a line end.
    const text = this.#afterReturn && piece.startsWith("\n") ? piece.slice(1) : piece;
    if (piece !== "") this.#afterReturn = piece.endsWith("\r");
    const lines = text.split(/\r\n|\n|\r/);
    const last = lines.pop() ?? "";
    for (const line of lines) {
      this.#grow(line);
      this.#onLine(this.#begun);
      this.#begun = "";
    }
    this.#grow(last);
  }

  /** Gives the line that has no end. */
  end(): void {
    if (this.#begun !== "") this.#onLine(this.#begun);
    this.#begun = "";
  }

  #grow(text: string): void {
    this.#begun += text;
    while (this.#begun.length > this.#longest) {
      this.#onLine(this.#begun.slice(0, this.#longest));
      this.#begun = this.#begun.slice(this.#longest);
    }
  }
}
