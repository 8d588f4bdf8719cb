/** Control characters but line ends and tabs, and those that turn the direction of a text. */
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text of others, such as what a module prints, as a terminal shows and never obeys it: an escape sequence could change
 * what stands there already, or the clipboard.
 */
export function printable(text: string): string {
  return text.replace(ACTING, (sign) => {
    if (sign < " ") return String.fromCharCode(0x2400 + sign.charCodeAt(0));
    return sign === "\u007f" ? "\u2421" : "\ufffd";
  });
}

/** The same in one line: a cell of a table, which must not look like a row of its own. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\u240a").replaceAll("\t", "\u2409");
}
