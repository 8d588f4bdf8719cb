import { readyStacks } from "../toolchain/local-backend.ts";
import { readyLocalEnvironment, shellAssignments } from "../toolchain/local-environment.ts";
import { places } from "../toolchain/places.ts";
import type { Command } from "./command.ts";
import { noArguments } from "./options.ts";

/** `kiln env`: what a shell needs for plain `pulumi` on the local stack. */
export const envCommand: Command = {
  name: "env",
  summary: 'Print the variables of the local stack for a shell: eval "$(npx kiln env)".',
  usage: "",
  options: {},
  help: {},
  async run({ positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const environment = await readyLocalEnvironment(here, undefined, progress);
    await readyStacks(here, environment);
    return { json: environment, text: shellAssignments(environment) };
  },
};
