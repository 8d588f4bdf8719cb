import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseDocument } from "yaml";
import { KilnError } from "../errors.ts";
import { parseSettings, stackFile, type Settings } from "../settings.ts";

const NAMESPACE = "kiln:";

/** The settings in a stack's committed file. Throws a usage error naming the file where it is missing or wrong. */
export async function readStackSettings(project: string, stack: string): Promise<Settings> {
  const document = await readDocument(project, stack);
  const config = (document.toJS() as { config?: Record<string, unknown> } | null)?.config ?? {};
  const own = Object.entries(config).filter(([key]) => key.startsWith(NAMESPACE));
  return parseSettings(stack, Object.fromEntries(own.map(([key, value]) => [key.slice(NAMESPACE.length), value])));
}

/** Writes a stack's warm image into its file, or takes it out, leaving comments and every other key as they are. */
export async function writeWarmImage(project: string, stack: string, warmImage: string | undefined): Promise<void> {
  const document = await readDocument(project, stack);
  const key = ["config", `${NAMESPACE}warmImage`];
  if (document.getIn(key) === warmImage) return;
  if (warmImage === undefined) document.deleteIn(key);
  else document.setIn(key, warmImage);
  const file = path.join(project, stackFile(stack));
  await writeFile(`${file}.partial`, document.toString({ lineWidth: 0 }));
  await rename(`${file}.partial`, file);
}

async function readDocument(project: string, stack: string) {
  const file = path.join(project, stackFile(stack));
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new KilnError("usage", `there is no ${stackFile(stack)}`, {
      mend: `Name a stack that has a file in stacks/, or write one for "${stack}" (see stacks/README.md).`,
      cause,
    });
  });
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error)
    throw new KilnError("usage", `${stackFile(stack)} is not YAML: ${error.message}`, { mend: "Correct that line." });
  return document;
}
