import { readFile } from "node:fs/promises";
import path from "node:path";
import { stackFile } from "../settings.ts";
import { readStackNames } from "../toolchain/local-backend.ts";
import { readBranchVersions, readFileVersions, readStackFiles, readTrunks } from "./git-history.ts";
import { windowStart, type HistoryWindow, type StackHistory } from "./retention-roots.ts";

/**
 * What a checkout's stack files say: as they stand, in the history of the present branch and of the default one, and on all branches. Throws a usage error where Git does not
 * have all of that.
 */
export async function readStackHistory(project: string, window: HistoryWindow): Promise<StackHistory> {
  const stacks = [];
  for (const trunk of await readTrunks(project)) {
    for (const file of await readStackFiles(project, trunk)) {
      stacks.push({ file, versions: await readFileVersions(project, file, trunk) });
    }
  }
  const here = await Promise.all(
    (await readStackNames(project)).map(async (stack) => {
      const file = stackFile(stack);
      return { file, text: await readFile(path.join(project, file), "utf8") };
    }),
  );
  return { stacks, here, branches: await readBranchVersions(project, windowStart(window)) };
}

/** The names of the stacks that a history knows. Pure. */
export function stackNamesIn({ stacks, here }: Pick<StackHistory, "stacks" | "here">): ReadonlySet<string> {
  const files = [...stacks, ...here].map(({ file }) => path.basename(file));
  return new Set(files.flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []));
}
