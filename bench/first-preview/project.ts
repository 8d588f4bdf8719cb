import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, stringify } from "yaml";
import { KilnError, messageOf } from "../../errors.ts";

/** The stack that previews are made of. */
export const PREVIEW_STACK = "kiln-preview";

/** Belongs to the empty passphrase: the stack holds no secret. Without it Pulumi would write one beside the program. */
const EMPTY_PASSPHRASE_SALT = "v1:bRzC8KGD5b8=:v1:p+kfDZ+tLFqR+vHq:TDOigh5itlPeG5Z0ee1pf3blIYUu3w==";

/** A configuration value that a program cannot do without. */
export interface RequiredConfig {
  /** As it stands in a stack's file: `namespace:key`. */
  readonly key: string;
  readonly kind: "String" | "Bool" | "Int" | "Float64" | "Object";
}

const VALUES: Readonly<Record<RequiredConfig["kind"], unknown>> = {
  String: "kiln-preview",
  Bool: true,
  Int: 1,
  Float64: 1,
  Object: {},
};

const GO_NAME = String.raw`[\p{L}_][\p{L}\p{N}_]*`;
/** `settings := config.New(ctx, "namespace")`; the project's own namespace is the empty one. */
const BAG = new RegExp(String.raw`(${GO_NAME})\s*:?=\s*config\.New\(\s*${GO_NAME}\s*,\s*"([^"]*)"\s*\)`, "gu");
const REQUIRE = String.raw`\.(?:Require|Try)(?:Secret)?(Bool|Int|Float64|Object)?\(`;
const OF_BAG = new RegExp(String.raw`(${GO_NAME})${REQUIRE}\s*"([^"]+)"`, "gu");
const OF_NEW = new RegExp(String.raw`config\.New\(\s*${GO_NAME}\s*,\s*"([^"]*)"\s*\)${REQUIRE}\s*"([^"]+)"`, "gu");
const OF_PACKAGE = new RegExp(String.raw`\bconfig${REQUIRE}\s*${GO_NAME}\s*,\s*"([^"]+)"`, "gu");

/** The configuration that a Go program requires, found in its text, sorted; `project` is the namespace of plain keys. */
export function requiredConfig(text: string, project: string): readonly RequiredConfig[] {
  const found = new Map<string, RequiredConfig>();
  const add = (namespace: string, name: string, kind: string | undefined) => {
    const key = name.includes(":") ? name : `${namespace === "" ? project : namespace}:${name}`;
    found.set(key, { key, kind: (kind ?? "String") as RequiredConfig["kind"] });
  };
  const bags = new Map([...text.matchAll(BAG)].map(([, name = "", namespace = ""]) => [name, namespace]));
  for (const [, bag = "", kind, name = ""] of text.matchAll(OF_BAG)) {
    const namespace = bags.get(bag);
    if (namespace !== undefined) add(namespace, name, kind);
  }
  for (const [, namespace = "", kind, name = ""] of text.matchAll(OF_NEW)) add(namespace, name, kind);
  for (const [, kind, name = ""] of text.matchAll(OF_PACKAGE)) add("", name, kind);
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** What is read of a Pulumi.yaml. */
interface Project {
  readonly name?: string;
  readonly stackConfigDir?: string;
  /** By plain or qualified key: a value, or a declaration with a default. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * Makes a copy of a program ready for a preview: writes its stack's file, with a value for each configuration key that it
 * requires and that its project gives none, and a Pulumi.yaml where it has none. `values`, by plain key, go before
 * invented ones.
 */
export async function writePreviewStack(
  program: string,
  values: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const names = await readdir(program);
  const projectFile = names.find((name) => /^Pulumi\.ya?ml$/.test(name));
  const fresh: Project & { runtime: string } = { name: path.basename(program), runtime: "go" };
  if (projectFile === undefined) await writeFile(path.join(program, "Pulumi.yaml"), stringify(fresh));
  const project = projectFile === undefined ? fresh : await readProject(path.join(program, projectFile));

  const sources = names.filter((name) => name.endsWith(".go") && !name.endsWith("_test.go"));
  const texts = await Promise.all(sources.map((name) => readFile(path.join(program, name), "utf8")));
  const config: Record<string, unknown> = {};
  for (const { key, kind } of requiredConfig(texts.join("\n"), project.name ?? "")) {
    const plain = key.slice(key.indexOf(":") + 1);
    const given = values[plain];
    if (given !== undefined || !hasDefault(project.config?.[key] ?? project.config?.[plain])) {
      config[key] = given ?? VALUES[kind];
    }
  }
  const stack = { encryptionsalt: EMPTY_PASSPHRASE_SALT, config };
  const folder = path.join(program, project.stackConfigDir ?? "");
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `Pulumi.${PREVIEW_STACK}.yaml`), stringify(stack));
}

function hasDefault(declared: unknown): boolean {
  if (typeof declared !== "object" || declared === null) return declared !== undefined;
  return "default" in declared || "value" in declared;
}

async function readProject(file: string): Promise<Project> {
  try {
    return parse(await readFile(file, "utf8")) as Project;
  } catch (cause) {
    throw new KilnError("usage", `${file} is not YAML: ${messageOf(cause)}`, { mend: "Correct that file.", cause });
  }
}
