import { EXIT } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readyStacks } from "../toolchain/local-backend.ts";
import { readyLocalEnvironment } from "../toolchain/local-environment.ts";
import { isLocalStack, LOCAL_STACK } from "../toolchain/local-stacks.ts";
import { places } from "../toolchain/places.ts";
import { runAttached } from "../toolchain/process.ts";
import type { Command, Outcome } from "./command.ts";
import { noArguments, optional } from "./options.ts";

const VERBS = {
  preview: "Show what `pulumi up` of a stack would change.",
  refresh: "Read the real state of a stack's resources.",
  destroy: "Remove a stack's resources.",
} as const;

/** `kiln preview|refresh|destroy`: the Pulumi command of that name, with the local environment where the stack is local. */
export const pulumiCommands: readonly Command[] = Object.entries(VERBS).map(([verb, summary]) => ({
  name: verb,
  summary,
  usage: "[--stack S]",
  options: { stack: { type: "string" } },
  help: { stack: "the stack (default: local)" },
  run({ values, positionals, progress }): Promise<Outcome> {
    noArguments(positionals);
    const stack = optional(values, "stack") ?? LOCAL_STACK;
    return runPulumi(stack, [verb, ...(verb === "preview" ? [] : ["--yes"])], { progress, json: values.json === true });
  },
}));

/**
 * Runs Pulumi on a stack with its output as it comes. A local stack has an environment of its own; any other uses the
 * caller's login and plugins. With `json` that output goes to standard error, and the outcome is the one document.
 */
export async function runPulumi(
  stack: string,
  args: readonly string[],
  { progress, json }: { readonly progress: Progress; readonly json: boolean },
): Promise<Outcome> {
  const here = places();
  const environment = isLocalStack(stack) ? await readyLocalEnvironment(here, undefined, progress) : {};
  if (isLocalStack(stack)) await readyStacks(here, environment);
  const code = await runAttached("pulumi", [...args, "--stack", stack, "--non-interactive"], {
    cwd: here.project,
    env: { ...process.env, ...environment },
    stdout: json ? "stderr" : "inherit",
  });
  const exitCode = code === 0 ? EXIT.done : EXIT.failed;
  return { json: { stack, command: args[0], ok: code === 0 }, text: "", exitCode };
}
