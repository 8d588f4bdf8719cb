import type { Progress } from "../../progress.ts";
import { requireLogin } from "../../release/pulumi-stack.ts";
import { readyStacks } from "../../toolchain/local-backend.ts";
import { LOCAL_STACK, readyLocalEnvironment } from "../../toolchain/local-environment.ts";
import { places } from "../../toolchain/places.ts";

/** The environment of Pulumi by stack: the local stack's own, or the caller's, whose login is looked at first. */
export async function pulumiEnvironments(
  stacks: readonly string[],
  progress: Progress,
): Promise<(stack: string) => NodeJS.ProcessEnv> {
  const here = places();
  if (stacks.some((stack) => stack !== LOCAL_STACK)) await requireLogin(here.project, process.env);
  const local = stacks.includes(LOCAL_STACK) ? await readyLocalEnvironment(here, undefined, progress) : undefined;
  if (local !== undefined) await readyStacks(here, local);
  return (stack) => ({ ...process.env, ...(stack === LOCAL_STACK ? local : undefined) });
}
