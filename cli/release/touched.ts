import { KilnError } from "../../errors.ts";
import { readChanges } from "../../release/github/git.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { touchedStacks, type KnownStack, type Touched } from "../../release/touched-stacks.ts";
import { stackFile, type Settings } from "../../settings.ts";
import { readStackNames } from "../../toolchain/local-backend.ts";
import { places } from "../../toolchain/places.ts";
import type { Command } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { table } from "../printer.ts";

/** `kiln release touched`. */
export const touchedCommand: Command = {
  name: "release touched",
  summary: "List the stacks that a change touches, each with the reason.",
  usage: "--base REF [--head REF] [--follow S]… [--matrix]",
  options: {
    base: { type: "string" },
    head: { type: "string" },
    follow: { type: "string", multiple: true },
    matrix: { type: "boolean" },
  },
  help: {
    base: "where the change starts: a branch, tag or commit; zeros for none, as GitHub says of a new branch",
    head: "where it ends (default: HEAD)",
    follow: "count what stacks share for this stack alone (may be repeated): every other for its own file alone",
    matrix: "print a GitHub Actions matrix",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const { project } = places();
    const [base, head] = [required(values, "base"), optional(values, "head") ?? "HEAD"];
    const names = await readStackNames(project);
    const follow = repeated(values, "follow");
    const unknown = follow.find((stack) => !names.includes(stack));
    if (unknown !== undefined) {
      throw new KilnError("usage", `there is no ${stackFile(unknown)}`, {
        mend: `The stacks are ${names.join(", ")}.`,
      });
    }
    const changes = await readChanges(project, base, head);
    const stacks = await Promise.all(names.map((name) => readKnownStack(project, name)));
    const touched = touchedStacks(changes, stacks, follow.length > 0 ? { follow } : {});
    for (const stack of touched.deleted) progress.note(`${stackFile(stack)} is deleted: ${AFTER_DELETION}`);
    const matrix = { include: touched.stacks };
    if (values.matrix === true) return { json: matrix, text: JSON.stringify(matrix) };
    return { json: touched, text: touchedText(touched) };
  },
};

const AFTER_DELETION = "nothing is previewed for it, and what it made is there until `pulumi destroy`";

/** A file that cannot be read as settings is one whose preview shall say why: it counts as reading everything. */
async function readKnownStack(project: string, name: string): Promise<KnownStack> {
  try {
    return { name, contexts: dockerContexts(await readStackSettings(project, name)) };
  } catch (error) {
    if (error instanceof KilnError && error.kind === "usage") return { name, contexts: WHOLE_CHECKOUT };
    throw error;
  }
}

const WHOLE_CHECKOUT = [""];

/** What the docker builds of a stack see beside what those of every stack do. */
function dockerContexts({ image, languageImages, jobImages }: Settings): readonly string[] {
  if (image.dockerfile === "standalone") return WHOLE_CHECKOUT;
  return [
    ...(Object.keys(languageImages).length > 0 ? ["images/pulumi-runner/"] : []),
    ...(Object.keys(jobImages).length > 0 ? ["images/job-runner/", "images/programs/"] : []),
  ];
}

/** The touched stacks in lines for a person. */
export function touchedText({ stacks, deleted }: Touched): string {
  if (stacks.length + deleted.length === 0) return "no stack is touched";
  return table([
    ...stacks.map(({ stack, reason }) => [stack, reason]),
    ...deleted.map((stack) => [stack, `${stackFile(stack)} is deleted: ${AFTER_DELETION}`]),
  ]);
}
