import { Fields } from "./fields.ts";
import { optional } from "./step.ts";

/** One input of a workflow that people start, or that another workflow calls. */
export interface Input {
  readonly type: "string" | "boolean" | "number" | "choice" | "environment";
  readonly required: boolean;
  readonly default?: string | number | boolean;
  readonly options: readonly string[];
}

/** What starts a workflow, as far as it matters here: tags, a person's inputs, a caller's inputs. */
export interface Triggers {
  /** Patterns of tags, GitHub's (docs: "Filter pattern cheat sheet"); none where tags do not start it. */
  readonly tags: readonly string[];
  readonly dispatch?: Readonly<Record<string, Input>>;
  readonly call?: Callable;
}

/** A workflow that others call. */
export interface Callable {
  readonly inputs: Readonly<Record<string, Input>>;
  /** Expressions by name. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Whether each must be given. */
  readonly secrets: Readonly<Record<string, boolean>>;
}

/** Events of GitHub alone: understood, and never what starts a run here. */
const ELSEWHERE = [
  "schedule",
  "pull_request",
  "merge_group",
  "issues",
  "release",
  "workflow_run",
  "repository_dispatch",
];
const TYPES = ["string", "boolean", "number", "choice", "environment"] as const;

/** Reads `on`, which may be one event, a list of events, or a map. */
export function parseTriggers(workflow: Fields): Triggers {
  const on = workflow.raw("on");
  if (typeof on === "string") return parseMap(new Fields({ [on]: {} }, workflow.at("on")));
  if (!Array.isArray(on)) return parseMap(workflow.below("on"));
  return parseMap(new Fields(Object.fromEntries(on.map((event) => [String(event), {}])), workflow.at("on")));
}

function parseMap(on: Fields): Triggers {
  on.understood(...ELSEWHERE);
  const push = on.below("push");
  push.understood("branches", "branches-ignore", "paths", "paths-ignore");
  const tags = push.list("tags");
  push.end();
  const triggers = {
    // Without any filter, tags start it as every branch does.
    tags: on.names.includes("push") && push.names.length === 0 ? ["**"] : tags,
    ...optional(
      "dispatch",
      on.names.includes("workflow_dispatch") ? parseDispatch(on.below("workflow_dispatch")) : undefined,
    ),
    ...optional("call", on.names.includes("workflow_call") ? parseCallable(on.below("workflow_call")) : undefined),
  };
  on.understood("push", "workflow_dispatch", "workflow_call");
  on.end();
  return triggers;
}

function parseDispatch(fields: Fields): Readonly<Record<string, Input>> {
  const inputs = parseInputs(fields.below("inputs"));
  fields.end();
  return inputs;
}

function parseCallable(fields: Fields): Callable {
  const outputs = fields.below("outputs");
  const secrets = fields.below("secrets");
  const callable = {
    inputs: parseInputs(fields.below("inputs")),
    outputs: Object.fromEntries(outputs.names.map((name) => [name, parseOutput(outputs.below(name))])),
    secrets: Object.fromEntries(secrets.names.map((name) => [name, parseSecret(secrets.below(name))])),
  };
  fields.end();
  return callable;
}

function parseOutput(fields: Fields): string {
  fields.understood("description");
  const value = fields.needed("value");
  fields.end();
  return value;
}

function parseSecret(fields: Fields): boolean {
  fields.understood("description");
  const required = fields.text("required") === "true";
  fields.end();
  return required;
}

function parseInputs(fields: Fields): Readonly<Record<string, Input>> {
  return Object.fromEntries(fields.names.map((name) => [name, parseInput(fields.below(name))]));
}

function parseInput(fields: Fields): Input {
  fields.understood("description", "deprecationMessage");
  const written = fields.text("type") ?? "string";
  const type = TYPES.find((one) => one === written);
  if (type === undefined) throw fields.fault(`is ${written}`, "type", `Inputs are of type ${TYPES.join(", ")}.`);
  const fallback = fields.raw("default");
  const input = {
    type,
    required: fields.text("required") === "true",
    ...optional(
      "default",
      typeof fallback === "object" ? undefined : (fallback as string | number | boolean | undefined),
    ),
    options: fields.list("options"),
  };
  fields.end();
  return input;
}
