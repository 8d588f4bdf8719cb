/** What an SDK's type declarations say of a value, as far as a plugin needs it. */
export type Shape =
  | { readonly kind: "text" | "number" | "flag" | "any" }
  | { readonly kind: "list" | "map"; readonly of: Shape }
  /** An object of `types/input.d.ts`, by its name there: `RepositoryRulesetRules` or `ecrpublic.RepositoryCatalogData`. */
  | { readonly kind: "object"; readonly name: string };

export interface Member {
  readonly required: boolean;
  readonly shape: Shape;
}

export type Members = Readonly<Record<string, Member>>;

const ANY: Shape = { kind: "any" };
const SIMPLE: Readonly<Record<string, Shape>> = {
  string: { kind: "text" },
  number: { kind: "number" },
  boolean: { kind: "flag" },
};

/**
 * The members of an interface or class in the text of a declaration file, as `tsc` writes it for Pulumi's SDKs; nothing
 * where it declares no such name. `name` may stand in a namespace: `ecrpublic.RepositoryCatalogData`. Methods and static
 * members are left out.
 */
export function declaredMembers(source: string, name: string): Members | undefined {
  const [own = "", ...outer] = name.split(".").reverse();
  const scope = outer
    .reverse()
    .reduce<Scope | undefined>(
      (around, namespace) => (around === undefined ? undefined : inside(around, `namespace ${namespace}`)),
      { text: source, indent: "" },
    );
  const body = scope && (inside(scope, `interface ${own}`) ?? inside(scope, `class ${own}`))?.text;
  if (body === undefined) return undefined;
  const members = split(withoutComments(body), ";").flatMap((text) => {
    const match = /^(?:readonly )?"?(\w+)"?(\??):([^]*)$/.exec(text.trim());
    if (match === null) return [];
    const [, member = "", optional = "", type = ""] = match;
    return [[member, { required: optional === "" && !admitsUndefined(type), shape: shapeOf(type) }] as const];
  });
  return Object.fromEntries(members);
}

/** A text whose declarations all stand as far to the right as `indent`. */
interface Scope {
  readonly text: string;
  readonly indent: string;
}

/** What stands between the braces of a declaration. */
function inside({ text, indent }: Scope, declaration: string): Scope | undefined {
  const head = new RegExp(`^${indent}(?:export )?(?:declare )?${declaration}(?: extends [\\w.]+)? \\{$`, "m").exec(
    text,
  );
  if (head === null) return undefined;
  const start = head.index + head[0].length;
  const end = text.indexOf(`\n${indent}}`, start);
  return { text: text.slice(start, end === -1 ? undefined : end), indent: `${indent}    ` };
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\//g, "");
}

/** What a type says, with `pulumi.Input`, `pulumi.Output` and `undefined` taken away. A union of several is `any`. */
function shapeOf(type: string): Shape {
  const [only = "any", ...others] = alternatives(type);
  if (others.length > 0) return ANY;
  const wrapped = /^pulumi\.(?:Input|Output)<([^]*)>$/.exec(only)?.[1];
  if (wrapped !== undefined) return shapeOf(wrapped);
  if (only.endsWith("[]")) return { kind: "list", of: shapeOf(only.slice(0, -2)) };
  const entry = /^\{\s*\[key: string\]:([^]*?);?\s*\}$/.exec(only)?.[1];
  if (entry !== undefined) return { kind: "map", of: shapeOf(entry) };
  const name = /^inputs\.([\w.]+)$/.exec(only)?.[1];
  return name === undefined ? (SIMPLE[only] ?? ANY) : { kind: "object", name };
}

function admitsUndefined(type: string): boolean {
  const wrapped = /^pulumi\.(?:Input|Output)<([^]*)>$/.exec(type.trim())?.[1];
  return split(wrapped ?? type, "|").some((alternative) => alternative.trim() === "undefined");
}

function alternatives(type: string): string[] {
  return split(type, "|")
    .map((text) => text.trim())
    .filter((text) => text !== "undefined");
}

/** The parts between separators that stand outside of every bracket. */
function split(text: string, separator: ";" | "|"): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (const [index, character] of text.split("").entries()) {
    if ("{[<(".includes(character)) depth += 1;
    if ("}]>)".includes(character)) depth -= 1;
    if (depth !== 0 || character !== separator) continue;
    parts.push(text.slice(start, index));
    start = index + 1;
  }
  return [...parts, text.slice(start)].filter((part) => part.trim() !== "");
}
