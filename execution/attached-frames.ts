import { StringDecoder } from "node:string_decoder";
import { LineReader } from "../toolchain/line-reader.ts";

/** Each piece of output begins with its stream, three zeros and its length, as engines send both streams over one connection. */
const HEADER_BYTES = 8;
const STDERR = 2;

/** Takes the output of a container as an engine sends it, in pieces that end anywhere, and gives its lines. */
export class AttachedFrames {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of the piece that are still to come. */
  #left = 0;
  readonly #stdout: StreamLines;
  readonly #stderr: StreamLines;

  constructor(onStdoutLine: (line: string) => void, onStderrLine: (line: string) => void) {
    this.#stdout = new StreamLines(onStdoutLine);
    this.#stderr = new StreamLines(onStderrLine);
  }

  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const end = Math.min(chunk.length, at + (this.#left > 0 ? this.#left : HEADER_BYTES - this.#headerBytes));
      if (this.#left > 0) {
        this.#left -= end - at;
        (this.#header[0] === STDERR ? this.#stderr : this.#stdout).write(chunk.subarray(at, end));
      } else {
        this.#headerBytes += chunk.copy(this.#header, this.#headerBytes, at, end);
        if (this.#headerBytes === HEADER_BYTES) {
          this.#left = this.#header.readUInt32BE(4);
          this.#headerBytes = 0;
        }
      }
      at = end;
    }
  }

  /** Gives the lines that have no end. */
  end(): void {
    this.#stdout.end();
    this.#stderr.end();
  }
}

/** Bytes to lines: a letter may be cut in two by the end of a piece. */
class StreamLines {
  readonly #decoder = new StringDecoder("utf8");
  readonly #lines: LineReader;

  constructor(onLine: (line: string) => void) {
    this.#lines = new LineReader(onLine);
  }

  write(bytes: Buffer): void {
    this.#lines.write(this.#decoder.write(bytes));
  }

  end(): void {
    this.#lines.write(this.#decoder.end());
    this.#lines.end();
  }
}
