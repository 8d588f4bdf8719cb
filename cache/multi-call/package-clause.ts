/** The package clause of a Go file, and what stands above it. */
export interface PackageClause {
  readonly name: string;
  /** Where the name stands in the text. */
  readonly start: number;
  readonly end: number;
  /** The settings of `//go:debug` lines above it, as `key=value`: Go takes them from main packages only. */
  readonly debug: readonly string[];
}

/** Blanks, comments and words: all that may stand up to the name of a package (go.dev/ref/spec#Source_file_organization). */
const token = () => /[ \t\r\n\uFEFF]+|(\/\/[^\n]*)|\/\*[^]*?\*\/|([\p{L}\p{Nd}_]+)/uy;

/** The package clause of a Go file; undefined where it has none. */
export function packageClause(text: string): PackageClause | undefined {
  const tokens = token();
  const debug: string[] = [];
  let isClause = false;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [, comment, word] = match;
    const setting = isClause ? undefined : /^\/\/go:debug[ \t]+(\S+)/.exec(comment ?? "")?.[1];
    if (setting !== undefined) debug.push(setting);
    if (word === undefined) continue;
    if (isClause) return { name: word, start: match.index, end: tokens.lastIndex, debug };
    if (word !== "package") return undefined;
    isClause = true;
  }
  return undefined;
}

/** A Go file in another package: only that name changes, so lines and what they say stay where they are. */
export function withPackageName(text: string, { start, end }: PackageClause, name: string): string {
  return `${text.slice(0, start)}${name}${text.slice(end)}`;
}
