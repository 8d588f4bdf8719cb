import { readFile } from "node:fs/promises";
import { KilnError, messageOf } from "../../errors.ts";
import type { JobSecret } from "../../execution/job/description.ts";
import type { SecretValues } from "../../execution/job/secret-document.ts";

export interface GivenSecrets {
  readonly secrets: readonly JobSecret[];
  readonly values: SecretValues;
}

/**
 * Secrets of `--secret` (for a variable) and `--secret-file` (for a file), each `NAME`, `NAME=FILE` or `NAME=env:VARIABLE`.
 * The value itself never stands on the command line, where everybody on the machine reads it.
 */
export async function givenSecrets(
  options: Readonly<Record<JobSecret["as"], readonly string[]>>,
  env: NodeJS.ProcessEnv,
): Promise<GivenSecrets> {
  const secrets: JobSecret[] = [];
  const values: [string, Buffer][] = [];
  for (const as of ["environment", "file"] as const) {
    for (const option of options[as]) {
      const [, name = "", from = `env:${name}`] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=([^]+))?$/.exec(option) ?? [];
      if (name === "") {
        throw new KilnError("usage", `--secret ${option.split("=", 1)[0] ?? ""} names no variable`, {
          mend: "Write --secret NAME=FILE or --secret NAME=env:VARIABLE.",
        });
      }
      if (secrets.some((one) => one.name === name)) throw new KilnError("usage", `the secret ${name} is given twice`);
      secrets.push({ name, as });
      values.push([name, from.startsWith("env:") ? ofVariable(name, from.slice(4), env) : await ofFile(name, from)]);
    }
  }
  return { secrets, values: Object.fromEntries(values) };
}

function ofVariable(name: string, variable: string, env: NodeJS.ProcessEnv): Buffer {
  const value = env[variable];
  if (value !== undefined) return Buffer.from(value);
  throw new KilnError("usage", `the secret ${name} has no value: the variable ${variable} is not set`, {
    mend: `Set it, or write --secret ${name}=FILE.`,
  });
}

/** What is no file may be the value itself: so it is not repeated. */
async function ofFile(name: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new KilnError("usage", `the secret ${name} cannot be read from its file (${code ?? messageOf(cause)})`, {
      mend: `Write --secret ${name}=FILE or ${name}=env:VARIABLE. If that was the value itself, take it for seen.`,
    });
  }
}
