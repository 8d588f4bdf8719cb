import { KilnError } from "../../errors.ts";

/** What no shell and no frontend of Dockerfiles takes apart, and no program takes for an option. */
const PLAIN = /^[\w.@+][\w.@+-]*$/;

/** Whether a file name is safe to stand anywhere in a Dockerfile. */
export function isPlainName(name: string): boolean {
  return PLAIN.test(name) && name !== "." && name !== "..";
}

/** The same of a path below a folder. */
export function isPlainPath(path: string): boolean {
  return path.split("/").every(isPlainName);
}

/**
 * A word of a module for a Dockerfile, as it is. Detection lets no other pass; this holds for kinds that a caller made
 * as well. Throws a usage error that names `what`.
 */
export function plainWord(what: string, word: string): string {
  if (isPlainPath(word)) return word;
  throw new KilnError("usage", `${what} is ${JSON.stringify(word)}, which cannot stand in a Dockerfile`, {
    mend: "Use letters, digits, dots, dashes and slashes.",
  });
}
