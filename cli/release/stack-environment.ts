import type { Progress } from "../../progress.ts";
import { requireLogin } from "../../release/pulumi-stack.ts";
import { readyStacks } from "../../toolchain/local-backend.ts";
import { readyLocalEnvironment } from "../../toolchain/local-environment.ts";
import { isLocalStack } from "../../toolchain/local-stacks.ts";
import { places } from "../../toolchain/places.ts";

/** The environment of Pulumi by stack: the local stacks' own, or the caller's, whose login is looked at first. */
export async function pulumiEnvironments(
  stacks: readonly string[],
  progress: Progress,
): Promise<(stack: string) => NodeJS.ProcessEnv> {
  const here = places();
  if (!stacks.every(isLocalStack)) await requireLogin(here.project, process.env);
  const local = stacks.some(isLocalStack) ? await readyLocalEnvironment(here, undefined, progress) : undefined;
  if (local !== undefined) await readyStacks(here, local);
  return (stack) => ({ ...process.env, ...(isLocalStack(stack) ? local : undefined) });
}
