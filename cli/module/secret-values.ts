import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { KilnError, messageOf } from "../../errors.ts";

/** Where values of secrets come from beside files. */
export interface SecretSources {
  readonly env: NodeJS.ProcessEnv;
  /** Asks a person, without showing what is typed; undefined where there is none to ask. */
  readonly ask: ((name: string) => Promise<string>) | undefined;
}

const SOURCE = /^([^=]+)=(env|file):([^]+)$/;

/**
 * Values of `--secret NAME` (the variable NAME, else a prompt), `NAME=env:VARIABLE` and `NAME=file:PATH`. A value itself on
 * the command line, where everybody on the machine reads it, is refused and not repeated.
 */
export async function secretValues(
  options: readonly string[],
  sources: SecretSources,
): Promise<Readonly<Record<string, string>>> {
  const values: [string, string][] = [];
  for (const option of options) {
    const [, name = option, from, where = ""] = SOURCE.exec(option) ?? [];
    if (from === undefined && option.includes("=")) {
      const shown = option.split("=", 1)[0] ?? "";
      throw new KilnError("usage", `--secret ${shown}=… has its value on the command line`, {
        mend: `Write --secret ${shown} and set the variable ${shown}, or ${shown}=env:VARIABLE, or ${shown}=file:PATH. Take the value for seen.`,
      });
    }
    values.push([name, from === "file" ? await fileValue(name, where) : await variable(name, from && where, sources)]);
  }
  return Object.fromEntries(values);
}

async function variable(name: string, named: string | undefined, { env, ask }: SecretSources): Promise<string> {
  const value = env[named ?? name];
  if (value !== undefined) return value;
  if (named === undefined && ask !== undefined) return ask(name);
  throw new KilnError("usage", `the secret ${name} has no value: the variable ${named ?? name} is not set`, {
    mend: `Set it, or write --secret ${name}=file:PATH.`,
  });
}

async function fileValue(name: string, file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).replace(/\r?\n$/, "");
  } catch (cause) {
    throw new KilnError("usage", `the secret ${name} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Asks on the terminal; undefined where standard input is none. Ctrl-C at the question interrupts the command. */
export function terminalPrompt(input: NodeJS.ReadStream = process.stdin): SecretSources["ask"] {
  if (!input.isTTY) return undefined;
  return async (name) => {
    process.stderr.write(`${name} (secret): `);
    const nowhere = new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
    const lines = createInterface({ input, output: nowhere, terminal: true });
    // A terminal that reads single keys sends no SIGINT, and a question whose terminal closes has no answer.
    const closed = new Promise<never>((_resolve, reject) => {
      lines.once("close", () => {
        reject(new KilnError("interrupted", "interrupted"));
      });
    });
    return Promise.race([lines.question(""), closed]).finally(() => {
      lines.close();
      process.stderr.write("\n");
    });
  };
}
