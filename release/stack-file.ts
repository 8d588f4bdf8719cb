import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { isMap, isNode, isScalar, parseDocument } from "yaml";
import { KilnError } from "../errors.ts";
import { parseSettings, stackFile, type Settings } from "../settings.ts";

const NAMESPACE = "kiln:";

/** The settings in a stack's committed file. Throws a usage error naming the file where it is missing or wrong. */
export async function readStackSettings(project: string, stack: string): Promise<Settings> {
  const document = parseStackFile(await readStackFile(project, stack), stack);
  const config = (document.toJS() as { config?: Record<string, unknown> } | null)?.config ?? {};
  const own = Object.entries(config).filter(([key]) => key.startsWith(NAMESPACE));
  return parseSettings(stack, Object.fromEntries(own.map(([key, value]) => [key.slice(NAMESPACE.length), value])));
}

/** Writes a stack's warm image into its file, or takes it out, leaving every other byte as it is. */
export async function writeWarmImage(project: string, stack: string, warmImage: string | undefined): Promise<void> {
  const text = await readStackFile(project, stack);
  const fresh = withWarmImage(text, stack, warmImage);
  if (fresh === text) return;
  const file = path.join(project, stackFile(stack));
  await writeFile(`${file}.partial`, fresh);
  await rename(`${file}.partial`, file);
}

/** A stack file's text with another warm image, or without one, every other byte as it is. Throws where it is not YAML. */
export function withWarmImage(text: string, stack: string, warmImage: string | undefined): string {
  const document = parseStackFile(text, stack);
  return document.getIn(["config", WARM_IMAGE]) === warmImage ? text : edited(text, document, warmImage);
}

const WARM_IMAGE = `${NAMESPACE}warmImage`;

/** The text of a stack file with another warm image: a line of its own below `config:`, edited in place. */
function edited(text: string, document: ReturnType<typeof parseDocument>, warmImage: string | undefined): string {
  const config: unknown = document.get("config", true);
  if (isMap(config) && config.flow !== true && config.items.length > 0) {
    const pair = config.items.find(({ key }) => isScalar(key) && key.value === WARM_IMAGE);
    const [first] = config.items;
    if (pair && isScalar(pair.key) && isScalar(pair.value) && pair.key.range && pair.value.range) {
      const [start, end] = pair.value.range;
      if (warmImage !== undefined && start < end) return text.slice(0, start) + warmImage + text.slice(end);
      if (warmImage === undefined && config.items.length > 1) return withoutLines(text, pair.key.range[0], end);
    } else if (!pair && first && isScalar(first.key) && first.key.range && warmImage !== undefined) {
      const last = config.items.at(-1)?.value;
      const at = lineEnd(text, isNode(last) && last.range ? contentEnd(text, last.range[1]) : first.key.range[1]);
      const indent = text.slice(lineStart(text, first.key.range[0]), first.key.range[0]);
      const [before, after] = [text.slice(0, at), text.slice(at)];
      const newline = text.includes("\r\n") ? "\r\n" : "\n";
      return `${before}${before.endsWith("\n") ? "" : newline}${indent}${WARM_IMAGE}: ${warmImage}${newline}${after}`;
    }
  }
  // No block of lines to edit: an empty config, or one in braces.
  if (warmImage === undefined) document.deleteIn(["config", WARM_IMAGE]);
  else if (isMap(config)) config.set(WARM_IMAGE, warmImage);
  else document.set("config", { [WARM_IMAGE]: warmImage });
  return document.toString({ lineWidth: 0 });
}

const lineStart = (text: string, at: number) => text.lastIndexOf("\n", at - 1) + 1;

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end + 1;
}

/** Where a value ends that may have the blank and comment lines after it in its range. */
function contentEnd(text: string, end: number): number {
  return text.slice(0, end).trimEnd().length;
}

function withoutLines(text: string, from: number, to: number): string {
  return text.slice(0, lineStart(text, from)) + text.slice(lineEnd(text, contentEnd(text, to)));
}

async function readStackFile(project: string, stack: string): Promise<string> {
  return readFile(path.join(project, stackFile(stack)), "utf8").catch((cause: unknown) => {
    throw new KilnError("usage", `there is no ${stackFile(stack)}`, {
      mend: `Name a stack that has a file in stacks/, or write one for "${stack}" (see stacks/README.md).`,
      cause,
    });
  });
}

function parseStackFile(text: string, stack: string) {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error)
    throw new KilnError("usage", `${stackFile(stack)} is not YAML: ${error.message}`, { mend: "Correct that line." });
  return document;
}
