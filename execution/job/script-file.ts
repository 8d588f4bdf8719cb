import { KilnError } from "../../errors.ts";

/** A file of scripts, by its path below them; as an input, by its path below the workspace of a job's container. */
export interface ScriptFile {
  readonly name: string;
  readonly content: Buffer;
  /** Whether it may be run as a program. */
  readonly executable: boolean;
}

/** Bytes of all files of scripts together. */
export const MOST_BYTES = 64 * 1024 * 1024;
export const MOST_FILES = 10_000;

/** How much of a place is read, so that what is named by mistake does not fill the memory. */
export class ScriptCount {
  readonly #place: string;
  #files = 0;
  #bytes = 0;

  constructor(place: string) {
    this.#place = place;
  }

  /** Counts a file before it is read. Throws a usage error where there are too many, or too much in them. */
  add(bytes: number): void {
    this.#files += 1;
    this.#bytes += bytes;
    if (this.#bytes <= MOST_BYTES && this.#files <= MOST_FILES) return;
    const limits = `${MOST_FILES} files or ${MOST_BYTES} bytes`;
    throw new KilnError("usage", `${this.#place} has more than ${limits}, too much for scripts`, {
      mend: "Name the folder of the scripts alone, or fetch them from a repository.",
    });
  }
}

/** A link would lead out of the folder, or to another file in the container than here. */
export function notAFile(name: string, place: string): KilnError {
  return new KilnError("usage", `${name} in ${place} is no regular file`, {
    mend: "Put a copy of what it leads to in its place: links are not followed.",
  });
}
