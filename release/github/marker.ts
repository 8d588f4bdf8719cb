import { KilnError } from "../../errors.ts";

/** The longest comment, issue or pull request text that GitHub takes, in characters. */
export const LONGEST_BODY = 65_536;

/** The line, unseen on the page, by which kiln finds a text of its own again. Throws a usage error for another name. */
export function markerOf(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) return `<!-- kiln:${name} -->`;
  throw new KilnError("usage", `"${name}" cannot name a comment`, {
    mend: "Use small letters, digits and dashes, such as bake.",
  });
}

/** A text with its marker above it, cut to what GitHub takes. */
export function marked(name: string, text: string): { readonly body: string; readonly cut: boolean } {
  const body = `${markerOf(name)}\n${unified(text)}`;
  const short = fitted(body);
  return { body: short, cut: short !== body };
}

/** Whether a text found on GitHub is one that kiln wrote under this name. */
export function isMarked(name: string, body: string | null | undefined): boolean {
  return (body ?? "").startsWith(markerOf(name));
}

/** Whether two texts are the same to a reader: GitHub changes line ends, and cuts blank ones. */
export function sameText(one: string | null | undefined, other: string): boolean {
  return unified(one ?? "") === unified(other);
}

function unified(text: string): string {
  return text.replaceAll("\r\n", "\n").trimEnd();
}

/**
 * A text of at most `longest` characters: a longer one ends after a whole line, with what was open closed and a line that says
 * how much is missing.
 */
export function fitted(text: string, longest: number = LONGEST_BODY): string {
  if (text.length <= longest) return text;
  // Room for the closing lines: a fence, some `</details>`, and the note.
  const room = longest - 400;
  const end = text.lastIndexOf("\n", room);
  const kept = text.slice(0, end > 0 ? end : wholeCharacters(text, room));
  const note = `\n\n_${text.length - kept.length} characters more were cut: GitHub takes ${longest} in one text._`;
  return `${kept}${closings(kept)}${note}`;
}

/** A cut between the halves of a surrogate pair would leave a character that is none. */
function wholeCharacters(text: string, end: number): number {
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code <= 0xdbff ? end - 1 : end;
}

const DEEPEST = 10;

function closings(text: string): string {
  const count = (pattern: RegExp) => [...text.matchAll(pattern)].length;
  const fence = count(/^```/gm) % 2 === 1 ? "\n```" : "";
  const open = count(/<details>/g) - count(/<\/details>/g);
  return fence + "\n</details>".repeat(Math.min(Math.max(open, 0), DEEPEST));
}
