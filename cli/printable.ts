/** Control characters but line ends and tabs, and those that turn the direction of a text. */
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * What GitHub's runner obeys in the log of a workflow: `::name::` at the beginning of a line, behind blanks too, and `##[name]`
 * anywhere in one.
 */
const COMMAND = /(?<![^\n])([^\S\n]*)::(?=[^\n]*::)|##(?=\[)/g;

/**
 * A text of others, such as what a module prints, as a terminal shows and never obeys it: an escape sequence could change
 * what stands there already, or the clipboard. Nor does the log of a workflow, of which `::add-mask::` could make stars.
 */
export function printable(text: string): string {
  return withoutCommands(withPictures(text));
}

/** The same in one line: a cell of a table, which must not look like a row of its own. */
export function printableLine(text: string): string {
  return withoutCommands(withPictures(text).replaceAll("\n", "\u240a").replaceAll("\t", "\u2409"));
}

function withPictures(text: string): string {
  return text.replace(ACTING, (sign) => {
    if (sign < " ") return String.fromCharCode(0x2400 + sign.charCodeAt(0));
    return sign === "\u007f" ? "\u2421" : "\ufffd";
  });
}

/** Each command with a sign that looks the same and is another. */
function withoutCommands(text: string): string {
  return text.replace(COMMAND, (_, blanks?: string) => (blanks === undefined ? "\uff03#" : `${blanks}\u2237`));
}
