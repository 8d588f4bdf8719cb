import { KilnError } from "../../errors.ts";
import { call, type Status } from "./functions.ts";
import { asksForStatus, parseExpression, type Expression } from "./syntax.ts";
import { asText, folded, isList, isMap, isTruthy, looselyEqual, ordered, type Value, type ValueMap } from "./value.ts";

/** What an expression sees. A context that is absent is empty. */
export interface Scope {
  readonly contexts: Readonly<Record<string, ValueMap>>;
  readonly status: Status;
}

/** What GitHub's expression comes to (docs: "Evaluate expressions in workflows and actions"). Throws for bad JSON only. */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "context":
      return scope.contexts[expression.name] ?? {};
    case "property":
      return propertyOf(expression.of, evaluate(expression.of, scope), evaluate(expression.name, scope));
    case "each":
      return elementsOf(evaluate(expression.of, scope));
    case "not":
      return !isTruthy(evaluate(expression.of, scope));
    case "operation":
      return operation(expression, scope);
    case "call":
      return call(
        expression.name,
        expression.args.map((argument) => evaluate(argument, scope)),
        scope.status,
      );
  }
}

/** The value of one expression's text. */
export function valueOf(text: string, scope: Scope): Value {
  return evaluate(parseExpression(text), scope);
}

/** Whether something with this `if` takes its turn: `success()` where there is none, or where it asks for no status. */
export function holds(condition: string | undefined, scope: Scope): boolean {
  if (condition === undefined) return scope.status.success;
  const expression = parseExpression(bare(condition));
  return (asksForStatus(expression) || scope.status.success) && isTruthy(evaluate(expression, scope));
}

/** A text with the values of its `${{ }}` in place. */
export function interpolate(text: string, scope: Scope): string {
  return piecesOf(text)
    .map((piece) => ("text" in piece ? piece.text : asText(valueOf(piece.expression, scope))))
    .join("");
}

/** The value of a text that may be one `${{ }}` and nothing else, which keeps its kind: a list, a number, a truth value. */
export function interpolatedValue(text: string, scope: Scope): Value {
  const [first, ...others] = piecesOf(text.trim());
  return first !== undefined && "expression" in first && others.length === 0
    ? valueOf(first.expression, scope)
    : interpolate(text, scope);
}

/** Texts by name with the values of their expressions. */
export function interpolated(texts: Readonly<Record<string, string>>, scope: Scope): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, interpolate(text, scope)]));
}

/** A tree with the values of all its expressions. */
export function interpolatedTree(tree: unknown, scope: Scope): Value {
  if (typeof tree === "string") return interpolatedValue(tree, scope);
  if (Array.isArray(tree)) return tree.map((one) => interpolatedTree(one, scope));
  if (typeof tree !== "object" || tree === null) return tree as Value;
  return Object.fromEntries(Object.entries(tree).map(([name, one]) => [name, interpolatedTree(one, scope)]));
}

/** Every expression of a text, read: so that a mistake shows before anything runs. */
export function expressionsIn(text: string, condition = false): readonly Expression[] {
  if (condition) return [parseExpression(bare(text))];
  return piecesOf(text).flatMap((piece) => ("expression" in piece ? [parseExpression(piece.expression)] : []));
}

/** An `if` may stand in `${{ }}` or not. */
function bare(condition: string): string {
  const pieces = piecesOf(condition.trim());
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined && "expression" in first) return first.expression;
  if (pieces.every((piece) => "text" in piece)) return condition;
  throw new KilnError(
    "usage",
    `the condition "${condition}" has \${{ }} around a part of it, and is then always true`,
    {
      mend: "Put ${{ }} around all of it, or leave it out.",
    },
  );
}

type Piece = { readonly text: string } | { readonly expression: string };

/** Where `${{` and `}}` divide a text; a text of an expression may hold `}}` itself. */
function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length;) {
    const open = text.indexOf("${{", at);
    if (open > at || open === -1) pieces.push({ text: text.slice(at, open === -1 ? undefined : open) });
    if (open === -1) break;
    const inner = /^(?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*/.exec(text.slice(open + 3))?.[0] ?? "";
    at = open + 3 + inner.length + 2;
    if (text.slice(at - 2, at) !== "}}") {
      throw new KilnError("usage", `"${text.slice(open, open + 40)}" has no }} for its \${{`, { mend: "Close it." });
    }
    pieces.push({ expression: inner });
  }
  return pieces;
}

function propertyOf(expression: Expression, value: Value, name: Value): Value {
  if (isFilter(expression) && isList(value)) {
    return value.flatMap((one) => (hasProperty(one, name) ? [read(one, name)] : []));
  }
  return read(value, name);
}

/** `needs.*`, and what is read of it: each element by itself. */
function isFilter(expression: Expression): boolean {
  return expression.kind === "each" || (expression.kind === "property" && isFilter(expression.of));
}

function hasProperty(value: Value, name: Value): boolean {
  return isMap(value) && Object.keys(value).some((key) => folded(key) === folded(asText(name)));
}

function read(value: Value, name: Value): Value {
  if (isList(value)) return (typeof name === "number" ? value[Math.floor(name)] : undefined) ?? null;
  if (!isMap(value)) return null;
  const wanted = asText(name);
  if (Object.hasOwn(value, wanted)) return value[wanted] ?? null;
  const key = Object.keys(value).find((one) => folded(one) === folded(wanted));
  return (key === undefined ? undefined : value[key]) ?? null;
}

function elementsOf(value: Value): Value {
  if (isList(value)) return value;
  return isMap(value) ? Object.values(value) : [];
}

function operation(expression: Extract<Expression, { kind: "operation" }>, scope: Scope): Value {
  const left = evaluate(expression.left, scope);
  if (expression.sign === "||") return isTruthy(left) ? left : evaluate(expression.right, scope);
  if (expression.sign === "&&") return isTruthy(left) ? evaluate(expression.right, scope) : left;
  const right = evaluate(expression.right, scope);
  if (expression.sign === "==") return looselyEqual(left, right);
  if (expression.sign === "!=") return !looselyEqual(left, right);
  const order = ordered(left, right);
  if (order === undefined) return false;
  if (expression.sign === "<") return order < 0;
  if (expression.sign === "<=") return order <= 0;
  return expression.sign === ">" ? order > 0 : order >= 0;
}
