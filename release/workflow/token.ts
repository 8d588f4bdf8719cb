import { KilnError } from "../../errors.ts";
import type { Value } from "./value.ts";

/** A word of an expression; `at` is where it begins. */
export type Token =
  | { readonly kind: "literal"; readonly value: Value; readonly at: number }
  | { readonly kind: "name" | "sign" | "end"; readonly text: string; readonly at: number };

const LEXEMES =
  /\s+|(?<string>'(?:[^']|'')*')|(?<number>0x[\da-fA-F]+|0o[0-7]+|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?<name>-?[A-Za-z_][\w-]*)|(?<sign>&&|\|\||[=!<>]=|[!<>()[\].,*])/y;

const WORDS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

/** The words of an expression, and one that says that it ends. Throws a usage error for what is no word of one. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    LEXEMES.lastIndex = at;
    const found = LEXEMES.exec(text);
    if (found === null) throw unreadable(text, at);
    const token = tokenOf(found.groups ?? {}, at, tokens.at(-1));
    if (token?.kind === "name" && token.text.startsWith("-")) throw unreadable(text, at);
    if (token !== undefined) tokens.push(token);
    at += found[0].length;
  }
  return [...tokens, { kind: "end", text: "its end", at: text.length }];
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>, at: number, before: Token | undefined) {
  const { string, number, name, sign } = groups;
  if (string !== undefined) return { kind: "literal", value: string.slice(1, -1).replaceAll("''", "'"), at } as const;
  if (number !== undefined) return { kind: "literal", value: Number(number), at } as const;
  if (sign !== undefined) return { kind: "sign", text: sign, at } as const;
  if (name === undefined) return undefined;
  // After a dot every word is a name: `steps.true.outputs`.
  const afterDot = before?.kind === "sign" && before.text === ".";
  const value = afterDot ? undefined : WORDS.get(name);
  return value === undefined ? ({ kind: "name", text: name, at } as const) : ({ kind: "literal", value, at } as const);
}

/** The error for a place of an expression at which something else should stand. */
export function unreadable(text: string, at: number, expected?: string): KilnError {
  const shown = text.slice(at, at + 12).trim();
  const found = shown === "" ? "it ends" : `"${shown}" stands`;
  return new KilnError(
    "usage",
    `the expression "${text.trim()}" cannot be read: at character ${at + 1} ${found}${expected === undefined ? "" : ` where ${expected} should`}`,
    { mend: 'Texts stand in single quotes; see GitHub\'s documentation, "Evaluate expressions".' },
  );
}
