import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";

/** The text of a file below a checkout. Throws a usage error that names the file where it cannot be read. */
export async function readText(project: string, file: string): Promise<string> {
  return readFile(path.join(project, file), "utf8").catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
}

/** The same for what a module needs as soon as it is loaded. */
export function readTextNow(project: string, file: string): string {
  try {
    return readFileSync(path.join(project, file), "utf8");
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** What the JSON text of a file says. Throws a usage error that names the file where it is no JSON. */
export function parseDocument(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new KilnError("usage", `${file}: it is no JSON: ${messageOf(cause)}`, {
      mend: "Correct it there, or restore the file from git.",
      cause,
    });
  }
}

function unreadable(file: string, cause: unknown): KilnError {
  const mend = "Restore that file from git.";
  return new KilnError("usage", `${file}: it cannot be read: ${messageOf(cause)}`, { mend, cause });
}
