import { EXIT, KilnError } from "../../errors.ts";
import { driftIssue, verdictOf, type PreviewFinding, type StackDrift } from "../../release/drift.ts";
import { githubConnection, type GithubConnection } from "../../release/github/connection.ts";
import { readOrigin } from "../../release/github/git.ts";
import { closeIssue, writeIssue, type IssueName, type WrittenIssue } from "../../release/github/issue.ts";
import { readStackDrift } from "../../release/stack-drift.ts";
import { stackFile } from "../../settings.ts";
import { readStackNames } from "../../toolchain/local-backend.ts";
import { isLocalStack } from "../../toolchain/local-stacks.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, repeated } from "../options.ts";
import { table } from "../printer.ts";
import { notaryHere } from "./notary.ts";
import { pulumiEnvironments } from "./stack-environment.ts";

const LABEL = "kiln-drift";

/** `kiln release drift`. */
export const driftCommand: Command = {
  name: "release drift",
  summary:
    "Compare what runs with what the stacks' files say: resources, images and their records. Exit 3 where it differs.",
  usage: "[--stack S]… [--images] [--issue]",
  options: { stack: { type: "string", multiple: true }, images: { type: "boolean" }, issue: { type: "boolean" } },
  help: {
    stack: "only this stack (may be repeated; default: every file in stacks/ but local)",
    images: "look at the images that the stacks' files name, without asking Pulumi: needs no login",
    issue: "open or update one GitHub issue that says so, and close it once all is well",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const stacks = await chosenStacks(here.project, values);
    const issue = values.issue === true ? await issueOf(here.project, values) : undefined;
    const environments = values.images === true ? undefined : await pulumiEnvironments(stacks, progress);
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const notary = notaryHere(here, progress);
    const results: StackDrift[] = [];
    for (const stack of stacks) {
      progress.step(`comparing stack ${stack}`);
      const pulumi = environments?.(stack);
      results.push(await readStackDrift({ project: here.project, stack, client: { regctl }, notary, pulumi }));
    }
    const written = issue === undefined ? undefined : await report(issue, results);
    return {
      json: { stacks: results.map((result) => ({ verdict: verdictOf(result), ...result })), issue: written },
      text: [driftText(results), ...(written === undefined ? [] : [issueText(written)])].join("\n"),
      exitCode: exitCodeOf(results),
    };
  },
};

async function chosenStacks(project: string, values: Invocation["values"]): Promise<readonly string[]> {
  const names = await readStackNames(project);
  const asked = repeated(values, "stack");
  const unknown = asked.find((stack) => !names.includes(stack));
  if (unknown !== undefined) {
    throw new KilnError("usage", `there is no ${stackFile(unknown)}`, { mend: `The stacks are ${names.join(", ")}.` });
  }
  return asked.length > 0 ? [...new Set(asked)].sort() : names.filter((stack) => !isLocalStack(stack));
}

interface Issue {
  readonly connection: GithubConnection;
  readonly name: IssueName;
}

/** The issue of a choice of stacks is its own: a look at one stack says nothing of the others, and closes nothing of theirs. */
async function issueOf(project: string, values: Invocation["values"]): Promise<Issue> {
  const connection = githubConnection(process.env, await readOrigin(project));
  const parts = ["drift", ...(values.images === true ? ["images"] : []), ...[...repeated(values, "stack")].sort()];
  return { connection, name: { name: parts.join("-").toLowerCase(), label: LABEL } };
}

async function report({ connection, name }: Issue, results: readonly StackDrift[]): Promise<WrittenIssue> {
  const text = driftIssue(results);
  if (text !== undefined) return writeIssue(connection, name, text);
  return closeIssue(connection, name, "All is as the stacks' files say again.");
}

function issueText({ outcome, address }: WrittenIssue): string {
  return address === undefined ? "no issue is open, and none is called for" : `issue ${outcome}: ${address}`;
}

/** What was found, a row a finding. */
export function driftText(results: readonly StackDrift[]): string {
  const rows = results.flatMap(({ stack, preview, images }) => [
    [stack, "resources", previewText(preview)],
    ...images.map(({ image, namedBy, state, fault }) => [
      stack,
      namedBy.join(", "),
      state === "sound" ? `${image} is there` : `${image} ${fault}`,
    ]),
  ]);
  return rows.length === 0 ? "no stack to compare" : table(rows);
}

function previewText(preview: PreviewFinding): string {
  switch (preview.kind) {
    case "same":
      return "as they should be";
    case "not asked":
      return "not asked";
    case "unknown":
      return `no answer: ${preview.reason}`;
    case "differs":
      return preview.changes.length === 0
        ? "would change"
        : preview.changes.map(({ operation, type, name }) => `${operation} ${type} ${name}`).join(", ");
  }
}

function exitCodeOf(results: readonly StackDrift[]): number {
  const verdicts = results.map(verdictOf);
  if (verdicts.includes("drift")) return EXIT.difference;
  return verdicts.includes("unknown") ? EXIT.unreachable : EXIT.done;
}
