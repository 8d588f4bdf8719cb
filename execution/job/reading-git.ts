import { withoutGitPlaces } from "../../cache/git-environment.ts";
import { run, type RunOptions, type RunResult } from "../../toolchain/process.ts";

/** What is read is what the commit has: no replacement of an object, and no program that a repository's settings name. */
const SETTINGS = ["--no-pager", "--no-replace-objects", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
/** A partial clone would fetch what it lacks, by whatever its settings name: where that cannot be switched off, no protocol may. */
const ENVIRONMENT = { GIT_TERMINAL_PROMPT: "0", GIT_NO_LAZY_FETCH: "1", GIT_ALLOW_PROTOCOL: "none", LC_ALL: "C" };

/** Runs a Git that only reads, in a folder of a repository that may be anybody's. Throws as `run` does. */
export function readingGit(
  folder: string,
  args: readonly string[],
  options: Omit<RunOptions, "cwd" | "env"> = {},
): Promise<RunResult> {
  const env = { ...withoutGitPlaces(process.env), ...ENVIRONMENT };
  return run("git", [...SETTINGS, "-C", folder, ...args], { ...options, env });
}
