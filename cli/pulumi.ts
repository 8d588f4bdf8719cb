import { spawn } from "node:child_process";
import { EXIT, KilnError } from "../errors.ts";
import { readyStacks } from "../toolchain/local-backend.ts";
import { LOCAL_STACK, readyLocalEnvironment } from "../toolchain/local-environment.ts";
import { places } from "../toolchain/places.ts";
import type { Command, Outcome } from "./command.ts";
import { noArguments, optional } from "./options.ts";
import type { Progress } from "../progress.ts";

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
  async run({ values, positionals, progress }): Promise<Outcome> {
    noArguments(positionals);
    const stack = optional(values, "stack") ?? LOCAL_STACK;
    const flags = [...(verb === "preview" ? [] : ["--yes"]), ...(values.json === true ? ["--json"] : [])];
    const code = await runPulumi(stack, [verb, ...flags], progress);
    return { json: undefined, text: "", exitCode: code === 0 ? EXIT.done : EXIT.failed };
  },
}));

/**
 * Runs Pulumi on a stack with its output as it comes, and gives its exit code. The local stack has an environment of its
 * own; any other uses the caller's login and plugins.
 */
export async function runPulumi(stack: string, args: readonly string[], progress: Progress): Promise<number> {
  const here = places();
  const environment = stack === LOCAL_STACK ? await readyLocalEnvironment(here, undefined, progress) : {};
  if (stack === LOCAL_STACK) await readyStacks(here, environment);
  const child = spawn("pulumi", [...args, "--stack", stack, "--non-interactive"], {
    cwd: here.project,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", () => {
      reject(
        new KilnError("unreachable", "pulumi is not on PATH", {
          mend: "Install the Pulumi CLI and log in to this stack's backend; only the local stack brings its own.",
        }),
      );
    });
    child.once("close", (code) => {
      resolve(code ?? EXIT.failed);
    });
  });
}
