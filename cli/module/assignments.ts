import { readFile } from "node:fs/promises";
import { KilnError, messageOf } from "../../errors.ts";
import { isObject, parseDocument } from "../../execution/module/document.ts";
import { parseExactJson, type Json, type JsonObject } from "../../execution/module/json.ts";
import { checkRequest, type ModuleAction, type ModuleRequest } from "../../execution/module/request.ts";

/** `k=v` sets a text, `k:=json` any JSON value: nothing is guessed, so that the version "1.10" stays one. */
const SETTING = /^([^=]+?)(:?=)([^]*)$/;

/** Inputs of `--set`. Throws a usage error on what assigns nothing, or assigns twice. */
export function settingsOf(assignments: readonly string[]): JsonObject {
  const inputs = new Map<string, Json>();
  for (const assignment of assignments) {
    const [, name = "", sign, value = ""] = SETTING.exec(assignment) ?? [];
    if (sign === undefined) {
      throw new KilnError("usage", `--set ${assignment} sets nothing`, {
        mend: "Write --set name=text, or name:=json.",
      });
    }
    if (inputs.has(name)) throw new KilnError("usage", `--set gives ${name} twice`, { mend: "Give it once." });
    inputs.set(name, sign === "=" ? value : jsonOf(name, value));
  }
  return Object.fromEntries(inputs);
}

function jsonOf(name: string, text: string): Json {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw new KilnError("usage", `--set ${name}:= is no JSON: ${messageOf(error)}`, {
      mend: `Write --set ${name}=… for a text; a shell takes the quotes of '${name}:="text"' unless they are quoted.`,
    });
  }
}

/**
 * The request of a command: the file's, where there is one, with `--set` on top. A file is a request where it has `action` or
 * where `inputs` in it is an object; any other object is inputs. Another action than the command's is refused.
 */
export async function requestOf(
  action: ModuleAction,
  file: string | undefined,
  assignments: readonly string[],
): Promise<ModuleRequest> {
  const document = file === undefined ? {} : await readObject(file);
  const whole = "action" in document || isObject(document.inputs);
  const request = checkRequest({ action, ...(whole ? document : { inputs: document }) });
  if (request.action !== action) {
    throw new KilnError("usage", `${file ?? ""} asks for ${request.action}, the command for ${action}`, {
      mend: `Run kiln module ${request.action}, or leave action out of the file.`,
    });
  }
  return { ...request, inputs: { ...request.inputs, ...settingsOf(assignments) } };
}

async function readObject(file: string): Promise<JsonObject> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new KilnError("usage", `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
  const { value } = parseDocument(text, file, "usage");
  if (isObject(value)) return value;
  throw new KilnError("usage", `${file} is no JSON object`, { mend: "Write a request, or an object of inputs." });
}
