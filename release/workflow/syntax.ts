import { KilnError } from "../../errors.ts";
import { tokensOf, unreadable, type Token } from "./token.ts";
import type { Value } from "./value.ts";

/** An expression as a tree. */
export type Expression =
  | { readonly kind: "literal"; readonly value: Value }
  | { readonly kind: "context"; readonly name: string }
  | { readonly kind: "property"; readonly of: Expression; readonly name: Expression }
  | { readonly kind: "each"; readonly of: Expression }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "operation"; readonly sign: string; readonly left: Expression; readonly right: Expression };

/** How many arguments each function takes, at least and at most. `hashFiles` is not among them: nothing here needs it. */
const FUNCTIONS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  contains: [2, 2],
  startswith: [2, 2],
  endswith: [2, 2],
  format: [1, 255],
  join: [1, 2],
  tojson: [1, 1],
  fromjson: [1, 1],
  success: [0, 0],
  failure: [0, 0],
  always: [0, 0],
  cancelled: [0, 0],
};

export const STATUS_FUNCTIONS: ReadonlySet<string> = new Set(["success", "failure", "always", "cancelled"]);

export const CONTEXTS: ReadonlySet<string> = new Set([
  ...["github", "inputs", "needs", "matrix", "env", "steps", "secrets", "vars", "runner", "strategy", "job", "jobs"],
]);

/** What the `github` context holds here. Anything else would be empty without a word. */
export const GITHUB_NAMES: ReadonlySet<string> = new Set([
  ...["actor", "event", "event_name", "job", "ref", "ref_name", "ref_type", "repository", "repository_owner"],
  ...["run_attempt", "run_id", "run_number", "server_url", "sha", "token", "workflow", "workspace"],
]);

/** From what binds least to what binds most. */
const LEVELS = [["||"], ["&&"], ["==", "!="], ["<", "<=", ">", ">="]] as const;

/** Reads the text of one expression, without `${{ }}`. Throws a usage error that says where it goes wrong. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  const expression = parser.level(0);
  parser.expect("its end", ({ kind }) => kind === "end");
  return expression;
}

/** Every node of a tree, the tree itself first. */
export function* nodesOf(expression: Expression): Generator<Expression> {
  yield expression;
  for (const below of partsOf(expression)) yield* nodesOf(below);
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "context":
      return [];
    case "property":
      return [expression.of, expression.name];
    case "each":
    case "not":
      return [expression.of];
    case "call":
      return expression.args;
    case "operation":
      return [expression.left, expression.right];
  }
}

/** Recursive descent over the words of one expression. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  level(index: number): Expression {
    const signs: readonly string[] | undefined = LEVELS[index];
    if (signs === undefined) return this.#unary();
    let left = this.level(index + 1);
    for (let sign = this.#take(signs); sign !== undefined; sign = this.#take(signs)) {
      left = { kind: "operation", sign, left, right: this.level(index + 1) };
    }
    return left;
  }

  expect(what: string, fits: (token: Token) => boolean): Token {
    const token = this.#tokens[this.#next];
    if (token === undefined || !fits(token)) throw unreadable(this.#text, token?.at ?? this.#text.length, what);
    this.#next += 1;
    return token;
  }

  #take(signs: readonly string[]): string | undefined {
    const token = this.#tokens[this.#next];
    if (token?.kind !== "sign" || !signs.includes(token.text)) return undefined;
    this.#next += 1;
    return token.text;
  }

  #sign(sign: string): void {
    this.expect(`"${sign}"`, (token) => token.kind === "sign" && token.text === sign);
  }

  #unary(): Expression {
    return this.#take(["!"]) === undefined ? this.#access() : { kind: "not", of: this.#unary() };
  }

  #access(): Expression {
    let of = this.#primary();
    for (let sign = this.#take([".", "["]); sign !== undefined; sign = this.#take([".", "["])) {
      if (this.#take(["*"]) !== undefined) of = { kind: "each", of };
      else if (sign === ".") of = { kind: "property", of, name: { kind: "literal", value: this.#name(of) } };
      else of = { kind: "property", of, name: this.level(0) };
      if (sign === "[") this.#sign("]");
    }
    return of;
  }

  #name(of: Expression): string {
    const token = this.expect("a name", ({ kind }) => kind === "name");
    const name = token.kind === "name" ? token.text : "";
    if (of.kind === "context" && of.name === "github" && !GITHUB_NAMES.has(name.toLowerCase())) {
      throw this.#unknown(
        `github.${name}`,
        `Of that context a run on this machine has ${[...GITHUB_NAMES].join(", ")}.`,
      );
    }
    return name;
  }

  #primary(): Expression {
    if (this.#take(["("]) !== undefined) {
      const inner = this.level(0);
      this.#sign(")");
      return inner;
    }
    const token = this.expect("a value", ({ kind }) => kind === "literal" || kind === "name");
    if (token.kind === "literal") return { kind: "literal", value: token.value };
    return this.#take(["("]) === undefined ? this.#context(token.text) : this.#call(token.text);
  }

  #context(name: string): Expression {
    const known = name.toLowerCase();
    if (CONTEXTS.has(known)) return { kind: "context", name: known };
    throw this.#unknown(`"${name}"`, `Its contexts are ${[...CONTEXTS].join(", ")}; texts stand in single quotes.`);
  }

  #call(name: string): Expression {
    const args: Expression[] = [];
    if (this.#take([")"]) === undefined) {
      do args.push(this.level(0));
      while (this.#take([","]) !== undefined);
      this.#sign(")");
    }
    const known = name.toLowerCase();
    const arity = Object.hasOwn(FUNCTIONS, known) ? FUNCTIONS[known] : undefined;
    if (arity === undefined) {
      throw this.#unknown(`the function ${name}()`, `Its functions are ${Object.keys(FUNCTIONS).join(", ")}.`);
    }
    const [least, most] = arity;
    if (args.length < least || args.length > most) {
      const takes = least === most ? `${least}` : `${least} to ${most}`;
      throw this.#unknown(`${name}() with ${args.length} arguments`, `It takes ${takes}.`);
    }
    return { kind: "call", name: known, args };
  }

  #unknown(what: string, mend: string): KilnError {
    return new KilnError("usage", `the expression "${this.#text.trim()}" has ${what}, which kiln does not know`, {
      mend,
    });
  }
}

/** Whether an expression asks for the state of what ran before; where none does, GitHub puts `success() &&` before it. */
export function asksForStatus(expression: Expression): boolean {
  return [...nodesOf(expression)].some((node) => node.kind === "call" && STATUS_FUNCTIONS.has(node.name));
}
