import { access, readdir } from "node:fs/promises";
import path from "node:path";
import { silent } from "../progress.ts";
import type { LocalEnvironment } from "./local-environment.ts";
import { withLock } from "./lock.ts";
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
  const names = await readStackNames(places.project);
  if ((await missingStacks(places, names)).length === 0) return;
  // Two stacks of this machine may come up at once, and both want all of them.
  await withLock(path.join(places.state, "stacks.lock"), silent, "another start of the stacks", async () => {
    for (const stack of await missingStacks(places, names)) {
      await run("pulumi", ["stack", "init", stack, "--no-select", "--non-interactive"], {
        cwd: places.project,
        env: { ...process.env, ...environment },
      });
    }
  });
}

async function missingStacks(places: Places, names: readonly string[]): Promise<readonly string[]> {
  const folder = path.join(places.state, "pulumi/.pulumi/stacks/kiln");
  const there = await Promise.all(names.map((stack) => exists(path.join(folder, `${stack}.json`))));
  return names.filter((_, index) => there[index] !== true);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
