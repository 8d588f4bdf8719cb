import { isMap, parseDocument } from "yaml";
import { KilnError } from "../../errors.ts";

/** What a project file says that an image depends on. */
export interface PulumiProjectFile {
  readonly name: string;
  readonly runtime: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The folder or file of the program, where the project names one. */
  readonly main?: string | undefined;
}

/**
 * Reads a project file as YAML, its runtime as text or as an object. Throws a usage error that names `where` and the key.
 */
export function parsePulumiProject(text: string, where: string): PulumiProjectFile {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault !== undefined) throw wrong(where, `is no YAML: ${fault.message.split("\n")[0] ?? ""}`);
  const project = document.toJS() as unknown;
  if (!isRecord(project)) throw wrong(where, "is no object");
  const name = textAt(project.name, where, "name");
  const { runtime, main } = project;
  const shared = { name, ...(main === undefined ? {} : { main: textAt(main, where, "main") }) };
  if (!isRecord(runtime)) return { ...shared, runtime: textAt(runtime, where, "runtime"), options: {} };
  const { options = {} } = runtime;
  if (options !== null && !isRecord(options))
    throw wrong(where, `runtime.options is ${typeName(options)}, not an object`);
  return { ...shared, runtime: textAt(runtime.name, where, "runtime.name"), options: options ?? {} };
}

/**
 * The text of a project file with runtime options set and others taken out, everything else as it was: what an image gets
 * beside the module's own file.
 */
export function withRuntimeOptions(
  text: string,
  set: Readonly<Record<string, string>>,
  unset: readonly string[] = [],
): string {
  const document = parseDocument(text);
  const runtime: unknown = document.get("runtime");
  if (!isMap(runtime)) document.set("runtime", document.createNode({ name: runtime, options: {} }));
  if (!isMap(document.getIn(["runtime", "options"]))) document.setIn(["runtime", "options"], document.createNode({}));
  for (const name of unset) document.deleteIn(["runtime", "options", name]);
  for (const [name, value] of Object.entries(set)) document.setIn(["runtime", "options", name], value);
  return document.toString({ lineWidth: 0 });
}

/** The text that an option has, one of `choices` where some are given; undefined where it is not set. */
export function textOption<Choice extends string>(
  project: PulumiProjectFile,
  name: string,
  where: string,
  choices?: readonly Choice[],
): Choice | undefined {
  const value = project.options[name];
  if (value === undefined || value === null) return undefined;
  const text = textAt(value, where, `runtime.options.${name}`);
  if (choices === undefined || (choices as readonly string[]).includes(text)) return text as Choice;
  throw wrong(where, `runtime.options.${name} is ${text}, which is none of ${choices.join(", ")}`);
}

function textAt(value: unknown, where: string, key: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw wrong(where, `${key} is ${value === undefined ? "missing" : typeName(value)}; it must be text`);
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : value === "" ? "empty" : `of type ${typeof value}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(where: string, what: string): KilnError {
  return new KilnError("usage", `${where} ${what}`, {
    mend: "See https://www.pulumi.com/docs/iac/concepts/projects/project-file/ for what a project file says.",
  });
}
