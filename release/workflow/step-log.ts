import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { Redactor } from "../../execution/redactor.ts";

const TAIL_LINES = 20;

/** Secrets of a run, which every log leaves out. Steps may add to them (`::add-mask::`). */
export class Masks {
  readonly #secrets: Set<string>;
  #redactor: Redactor;

  constructor(secrets: Iterable<string>) {
    this.#secrets = new Set(secrets);
    this.#redactor = new Redactor(this.#secrets);
  }

  get redactor(): Redactor {
    return this.#redactor;
  }

  add(secret: string): void {
    if (this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    this.#redactor = new Redactor(this.#secrets);
  }

  /** Whether a text has a secret in it: such a text is no output, as on GitHub. */
  touches(text: string): boolean {
    return this.#redactor.text(text) !== text;
  }
}

/** The log of one step: whole lines of both outputs, without secrets. Keeps the last lines for who asks why it failed. */
export class StepLog {
  readonly #masks: Masks;
  readonly #file: WriteStream;
  readonly #pending = { stdout: "", stderr: "" };
  #tail: string[] = [];
  #broken: Error | undefined;

  constructor(file: string, masks: Masks) {
    this.#masks = masks;
    this.#file = createWriteStream(file, { mode: 0o600 });
    // A full disk is said when the log is closed; the step itself goes on.
    this.#file.on("error", (error) => {
      this.#broken = error;
    });
  }

  /** The last lines, without secrets. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  write(stream: "stdout" | "stderr", piece: string): void {
    const lines = `${this.#pending[stream]}${piece}`.split("\n");
    this.#pending[stream] = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  /** One line by kiln itself, or by a step. */
  line(text: string): void {
    const mask = /^::add-mask::(.*?)\r?$/.exec(text)?.[1];
    if (mask !== undefined) {
      this.#masks.add(mask);
      return;
    }
    const shown = this.#masks.redactor.text(text);
    this.#tail = [...this.#tail, shown].slice(-TAIL_LINES);
    this.#file.write(`${shown}\n`);
  }

  async close(): Promise<void> {
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#pending[stream] !== "") this.line(this.#pending[stream]);
      this.#pending[stream] = "";
    }
    await finished(this.#file.end()).catch(() => undefined);
    if (this.#broken !== undefined) throw this.#broken;
  }
}
