import { createHash } from "node:crypto";
import { KilnError } from "../../errors.ts";

/** Pulumi takes 100 characters a part. */
const LONGEST = 100;
/** A file name may have 255 bytes; what is written beside it has some more. */
const LONGEST_FOLDER = 180;

/**
 * One stack name for parts such as environment, component and module. Other parts give another name, also where a part has
 * a separator in it: `a`, `b-c` is `a.b-c`, and `a-b`, `c` is `a-b.c`. Parts that are empty are refused.
 */
export function stackName(parts: readonly string[]): string {
  if (parts.length === 0 || parts.includes("")) {
    throw new KilnError("usage", "a part of the stack name is empty", {
      mend: "Name every part: modules that share a name would share their state.",
    });
  }
  const name = parts.map((part) => escaped(part, /[A-Za-z0-9-]/, /^-/)).join(".");
  return shortened(name, LONGEST);
}

/** The folder of a stack's state: one of its own for each name, also where a file system knows no upper case. */
export function stackFolder(stack: string): string {
  return shortened(escaped(stack, /[a-z0-9.-]/, /^[.-]/), LONGEST_FOLDER);
}

/** A text whose other bytes are `_` and two hexadecimal digits, as is a first sign that `unfit` matches. */
function escaped(text: string, kept: RegExp, unfit: RegExp): string {
  return [...Buffer.from(text)]
    .map((byte, at) => {
      const sign = String.fromCharCode(byte);
      const keep = kept.test(sign) && !(at === 0 && unfit.test(sign));
      return keep ? sign : `_${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

/** Cuts a long name and says the rest by a hash, after `..`, which no short name has. */
function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 32);
  return `${name.slice(0, longest - hash.length - 2)}..${hash}`;
}
