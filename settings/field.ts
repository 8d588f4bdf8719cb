import { KilnError } from "../errors.ts";

/** One value and where it stands. */
export interface Field {
  readonly file: string;
  readonly key: string;
  readonly value: unknown;
  /** Whether a secret may stand here by mistake: errors then do not repeat the value, nor any that is inside. */
  readonly confidential?: boolean;
}

/**
 * A function that gives each field of an object by name, once every name in the object is known to be one of `names`. A name
 * with nothing behind it, as a stack file has it once all below is commented out, is not set.
 */
export function section<Name extends string>(parent: Field, names: readonly Name[]): (name: Name) => Field {
  const entries = objectOf(parent);
  const prefix = /(?:^|:)$/.test(parent.key) ? parent.key : `${parent.key}.`;
  for (const [name, value] of Object.entries(entries)) {
    if (names.some((known) => known === name)) continue;
    const nearest = nearestName(name, names);
    throw refusal({ ...parent, key: `${prefix}${name}`, value }, "is not a setting", {
      mend:
        nearest === undefined
          ? `Remove it: the settings here are ${names.join(", ")}`
          : `Did you mean ${prefix}${nearest}?`,
    });
  }
  return (name) => ({ ...parent, key: `${prefix}${name}`, value: entries[name] ?? undefined });
}

/** The object in a field: as YAML has it, or as the JSON text that Pulumi hands to a program. */
export function objectOf(field: Field): Readonly<Record<string, unknown>> {
  const value = typeof field.value === "string" ? parsedJson(field.value) : field.value;
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw refusal(field, `must be a map of settings, but is ${describedIn(field)}`);
  }
  return { ...value };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** One of a setting's values. */
export function choiceOf<Choice extends string>(field: Field, choices: readonly Choice[], otherwise: Choice): Choice {
  const text = textOf(field) ?? otherwise;
  const choice = choices.find((known) => known === text);
  if (choice !== undefined) return choice;
  throw refusal(field, `is ${describedIn(field)}, which is none of its values`, {
    mend: `Set it to ${choices.join(" or ")}`,
  });
}

/** A truth value: `pulumi config set` writes the text "true", and a program always gets the text. */
export function flagOf(field: Field, otherwise: boolean): boolean {
  const { value } = field;
  if (value === undefined || value === null) return otherwise;
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw refusal(field, `must be true or false, but is ${describedIn(field)}`);
}

/** The text in a field; nothing where it is not set. */
export function textOf(field: Field): string | undefined {
  const { value } = field;
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  const quoted = field.confidential === true ? "" : `: "${JSON.stringify(value)}"`;
  throw refusal(field, `must be text, but is ${describedIn(field)}`, {
    mend: typeof value === "object" ? "Write one text there" : `Write it in quotes${quoted}`,
  });
}

/** A value as an error names it. */
export function described(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return `the ${typeof value} ${JSON.stringify(value)}`;
}

/** The value of a field as an error names it: its kind alone where it may be a secret. */
function describedIn({ value, confidential = false }: Field): string {
  return confidential && typeof value !== "object" ? `a ${typeof value}` : described(value);
}

/** A usage error about a field: its file, its key, the problem, and what to set instead. */
export function refusal(field: Field, problem: string, options: { readonly mend?: string } = {}): KilnError {
  return new KilnError("usage", `${field.file}: ${field.key} ${problem}`, options);
}

/** A whole number of at least `least`; nothing where it is not set. */
export function countOf(field: Field, least = 0): number | undefined {
  const { value } = field;
  if (value === undefined || value === null) return undefined;
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= least) return number;
  throw refusal(field, `must be a whole number of at least ${least}, but is ${describedIn(field)}`);
}

/** A text that has to be there. */
export function requiredText(field: Field, mend: string): string {
  const text = textOf(field);
  if (text === undefined || text === "") throw refusal(field, "is not set", { mend });
  return text;
}

/** Every value of a map, by its name: names that `named` refuses are an error. */
export function mapOf<Value>(
  field: Field,
  read: (field: Field) => Value,
  named: { readonly pattern: Pick<RegExp, "test">; readonly mend: string } = { pattern: /./, mend: "" },
): Readonly<Record<string, Value>> {
  const entries = Object.entries(objectOf(field)).map(([name, value]) => {
    const own = { ...field, key: `${field.key}.${name}`, value };
    if (!named.pattern.test(name)) throw refusal(own, "has a name that cannot be used", { mend: named.mend });
    return [name, read(own)] as const;
  });
  return Object.freeze(Object.fromEntries(entries));
}

/** Every value of a list, in its order. */
export function listOf<Value>(field: Field, read: (field: Field) => Value): readonly Value[] {
  const { value } = field;
  if (value === undefined || value === null) return Object.freeze([]);
  if (!Array.isArray(value)) throw refusal(field, `must be a list, but is ${describedIn(field)}`);
  return Object.freeze(value.map((item, index) => read({ ...field, key: `${field.key}[${index}]`, value: item })));
}

/** Whether a map of settings says nothing: the schema in Pulumi.yaml gives `{}` where a stack is silent. */
export function isSilent(field: Field): boolean {
  return Object.keys(objectOf(field)).length === 0;
}

/** How many single-character changes still count as a misspelling. */
const MISSPELLING = 2;

function nearestName<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
  const ranked = names
    .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [nearest] = ranked;
  return nearest !== undefined && nearest.distance <= MISSPELLING ? nearest.known : undefined;
}

/** Insertions, deletions and substitutions that turn one text into the other (Levenshtein, a row at a time). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, character] of Array.from(from).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(to).entries()) {
      const substituted = (row[j] ?? 0) + (character === other ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
