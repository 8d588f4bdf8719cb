import type { IssueText } from "./github/issue.ts";

/** One resource that a preview would change. */
export interface ResourceChange {
  /** As Pulumi calls it: `update`, `create`, `delete`, `replace` … */
  readonly operation: string;
  readonly type: string;
  readonly name: string;
  /** Paths of the properties that differ. No value: an issue may be public. */
  readonly properties: readonly string[];
}

/** What a preview with a refresh said of a stack that should need no change. */
export type PreviewFinding =
  | { readonly kind: "same" }
  | { readonly kind: "not asked" }
  | { readonly kind: "differs"; readonly changes: readonly ResourceChange[] }
  | { readonly kind: "unknown"; readonly reason: string };

/** One image that a stack names by digest, and how it stands with it. */
export interface ImageFinding {
  /** `repository@sha256:…` */
  readonly image: string;
  /** Where it is named: `kiln:warmImage`, `output image`. */
  readonly namedBy: readonly string[];
  /** `faulty`: it is gone, or nothing vouches for it. `unknown`: its registry could not be asked. */
  readonly state: "sound" | "faulty" | "unknown";
  /** What is wrong with it, as the end of a sentence; empty where it is sound. */
  readonly fault: string;
}

export interface StackDrift {
  readonly stack: string;
  readonly preview: PreviewFinding;
  readonly images: readonly ImageFinding[];
}

export type Verdict = "clean" | "drift" | "unknown";

/** What one stack's findings come to: drift counts more than what could not be asked. */
export function verdictOf({ preview, images }: StackDrift): Verdict {
  if (preview.kind === "differs" || images.some(({ state }) => state === "faulty")) return "drift";
  return preview.kind === "unknown" || images.some(({ state }) => state === "unknown") ? "unknown" : "clean";
}

/** Operations of a preview that change nothing. */
const HARMLESS = new Set(["same", "read", "read-discard", "read-replacement", "refresh"]);

/** The changes in the document of `pulumi preview --json`; none in anything else. */
export function previewChanges(text: string): readonly ResourceChange[] {
  const { steps } = documentOf(text);
  return (Array.isArray(steps) ? (steps as readonly unknown[]) : []).flatMap((step): ResourceChange[] => {
    const { op, urn, detailedDiff } = (step ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof op !== "string" || typeof urn !== "string" || HARMLESS.has(op)) return [];
    const [, , types = "", ...name] = urn.split("::");
    const type = types.slice(types.lastIndexOf("$") + 1);
    return [{ operation: op, type, name: name.join("::"), properties: Object.keys(detailedDiff ?? {}).sort() }];
  });
}

/** The first error in the document of `pulumi preview --json`; nothing where it has none. */
export function previewError(text: string): string | undefined {
  const { diagnostics } = documentOf(text);
  for (const diagnostic of Array.isArray(diagnostics) ? (diagnostics as readonly unknown[]) : []) {
    const { severity, message } = (diagnostic ?? {}) as Readonly<Record<string, unknown>>;
    if (severity === "error" && typeof message === "string") return message.trim();
  }
  return undefined;
}

function documentOf(text: string): { readonly steps?: unknown; readonly diagnostics?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as { readonly steps?: unknown; readonly diagnostics?: unknown };
  } catch {
    return {};
  }
}

/**
 * The issue that the findings call for; nothing where every stack is clean. It says nothing of the time or the run, so that the
 * same drift gives the same text.
 */
export function driftIssue(results: readonly StackDrift[]): IssueText | undefined {
  const unclean = results.filter((result) => verdictOf(result) !== "clean");
  if (unclean.length === 0) return undefined;
  const named = (verdict: Verdict) =>
    results.filter((result) => verdictOf(result) === verdict).map(({ stack }) => stack);
  const [drifted, unknown] = [named("drift"), named("unknown")];
  const title = [
    ...(drifted.length > 0 ? [`Drift in ${drifted.join(", ")}`] : []),
    ...(unknown.length > 0 ? [`${drifted.length > 0 ? "n" : "N"}o answer for ${unknown.join(", ")}`] : []),
  ].join("; ");
  const table = results.map((result) => `| \`${result.stack}\` | ${previewCell(result)} | ${imagesCell(result)} |`);
  const text = [
    "What runs is not what the stacks' files say, or could not be compared. This text follows the nightly check, which closes",
    "the issue once all is well.",
    "",
    "| Stack | Resources | Images |",
    "| ----- | --------- | ------ |",
    ...table,
    ...unclean.flatMap((result) => ["", ...section(result)]),
  ].join("\n");
  return { title, text };
}

function previewCell({ preview }: StackDrift): string {
  switch (preview.kind) {
    case "same":
      return "as they should be";
    case "not asked":
      return "not asked";
    case "differs":
      return counted(preview.changes.length, "change");
    case "unknown":
      return "no answer";
  }
}

function imagesCell({ images }: StackDrift): string {
  const faulty = images.filter(({ state }) => state === "faulty").length;
  const unknown = images.filter(({ state }) => state === "unknown").length;
  if (faulty + unknown === 0) return `${counted(images.length, "image")}, all there`;
  return [
    ...(faulty > 0 ? [`${faulty} of ${images.length} missing or unverified`] : []),
    ...(unknown > 0 ? [`${unknown} of ${images.length} without an answer`] : []),
  ].join(", ");
}

function section({ stack, preview, images }: StackDrift): readonly string[] {
  const faults = images.filter(({ state }) => state !== "sound");
  return [
    `### ${stack}`,
    ...(preview.kind === "differs" ? ["", ...changeLines(stack, preview.changes)] : []),
    ...(preview.kind === "unknown" ? ["", `Its resources could not be compared: ${code(preview.reason)}`] : []),
    ...(faults.length > 0 ? ["", "Images:", "", ...faults.map(imageLine)] : []),
    ...(faults.some(({ state }) => state === "faulty")
      ? ["", `Bake it again (\`npx kiln cache bake --stack ${stack}\`), promote it again, or revert the stack's file.`]
      : []),
  ];
}

const SHOWN = 30;

function changeLines(stack: string, changes: readonly ResourceChange[]): readonly string[] {
  const shown = changes.slice(0, SHOWN).map(({ operation, type, name, properties }) => {
    const paths = properties.length > 0 ? `: ${properties.map(code).join(", ")}` : "";
    return `- ${operation} ${code(type)} ${code(name)}${paths}`;
  });
  return [
    "A refresh and preview would change:",
    "",
    ...shown,
    ...(changes.length > SHOWN ? [`- and ${changes.length - SHOWN} more`] : []),
    ...(changes.length === 0 ? ["- something that the preview did not list"] : []),
    "",
    `\`pulumi preview -s ${stack} --refresh --diff\` shows the values; \`pulumi up -s ${stack} --refresh\` puts back what the file says.`,
  ];
}

function imageLine({ image, namedBy, fault }: ImageFinding): string {
  return `- ${code(image)} (${namedBy.join(", ")}) ${plain(fault)}`;
}

/** A text on one line, without what Markdown would take for the end of code. */
const code = (text: string) => `\`${text.replaceAll("`", "'").replace(/\s+/g, " ").trim()}\``;

/** A text on one line that mentions nobody and opens no HTML. */
const plain = (text: string) => text.replace(/\s+/g, " ").replaceAll("<", "&lt;").replaceAll("@", "@\u200b");

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
