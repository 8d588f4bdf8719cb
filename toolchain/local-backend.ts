import { access, readdir } from "node:fs/promises";
import path from "node:path";
import type { LocalEnvironment } from "./local-environment.ts";
import type { Places } from "./places.ts";
import { run } from "./process.ts";

/** The stacks that have a file in stacks/, sorted. */
export async function readStackNames(project: string): Promise<readonly string[]> {
  const names = await readdir(path.join(project, "stacks"));
  return names.flatMap((name) => /^Pulumi\.([\w-]+)\.yaml$/.exec(name)?.[1] ?? []).sort();
}

/**
 * Has every stack of this project in the local backend, so that each can be previewed without a login. A stack that is
 * not local is only a name there: its resources live in its own backend, and the loopback plugins refuse to change it.
 */
export async function readyStacks(places: Places, environment: LocalEnvironment): Promise<void> {
  for (const stack of await readStackNames(places.project)) {
    const state = path.join(places.state, "pulumi/.pulumi/stacks/kiln", `${stack}.json`);
    if (await exists(state)) continue;
    await run("pulumi", ["stack", "init", stack, "--no-select", "--non-interactive"], {
      cwd: places.project,
      env: { ...process.env, ...environment },
    });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
