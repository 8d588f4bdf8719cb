import { readFile } from "node:fs/promises";
import path from "node:path";
import { stackFile } from "../settings.ts";
import { readStackNames } from "../toolchain/local-backend.ts";
import { readBranchVersions, readFileVersions, readStackFiles } from "./git-history.ts";
import { windowStart, type HistoryWindow, type StackHistory } from "./retention-roots.ts";

/**
 * What a checkout's stack files say: as they stand, in their history, and on its branches. Throws a usage error where Git does not
 * have all of that.
 */
export async function readStackHistory(project: string, window: HistoryWindow): Promise<StackHistory> {
  const stacks = [];
  for (const file of await readStackFiles(project)) {
    stacks.push({ file, versions: await readFileVersions(project, file) });
  }
  const here = await Promise.all(
    (await readStackNames(project)).map(async (stack) => {
      const file = stackFile(stack);
      return { file, text: await readFile(path.join(project, file), "utf8") };
    }),
  );
  return { stacks, here, branches: await readBranchVersions(project, windowStart(window)) };
}
