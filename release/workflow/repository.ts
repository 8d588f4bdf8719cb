import { withoutGitPlaces } from "../../cache/git-environment.ts";
import { KilnError } from "../../errors.ts";
import { run } from "../../toolchain/process.ts";

/** What a run needs to know of the checkout that it is started in. */
export interface Repository {
  readonly project: string;
  /** `OWNER/NAME` as on GitHub; undefined where the checkout does not say. */
  readonly name: string | undefined;
}

/** The commit that a tag names. Throws a usage error where there is no such tag. */
export async function readTagCommit(project: string, tag: string): Promise<string> {
  if (/^[\w.][\w./+-]*$/.test(tag)) {
    const found = await git(project, ["rev-parse", "--quiet", "--verify", `refs/tags/${tag}^{commit}`]);
    if (found !== undefined) return found.trim();
  }
  throw new KilnError("usage", `this checkout has no tag ${tag}`, {
    mend: `Make it on the commit to release: git tag ${tag} COMMIT. One that is on GitHub comes with git fetch --tags.`,
  });
}

/** The text of a file at a commit; undefined where it has none. */
export async function readFileAt(project: string, commit: string, file: string): Promise<string | undefined> {
  return git(project, ["show", `${commit}:${file}`]);
}

/** Paths of the workflow files at a commit. */
export async function readWorkflowFiles(project: string, commit: string): Promise<readonly string[]> {
  const listed = await git(project, ["ls-tree", "-z", "--name-only", commit, ".github/workflows/"]);
  return (listed ?? "").split("\0").filter((file) => /\.ya?ml$/.test(file));
}

/** How many files of the checkout differ from its last commit: a run does not see what they hold. */
export async function readUncommitted(project: string): Promise<number> {
  const status = await git(project, ["status", "--porcelain"]);
  return (status ?? "").split("\n").filter((line) => line !== "").length;
}

/** The repository by the address that `origin` has, or by GITHUB_REPOSITORY. */
export async function readRepository(project: string, env: NodeJS.ProcessEnv): Promise<Repository> {
  const origin = (await git(project, ["remote", "get-url", "origin"])) ?? "";
  const name = env.GITHUB_REPOSITORY ?? /[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?\s*$/.exec(addressOf(origin))?.[1];
  return { project, name };
}

/** An address on a server; a folder says nothing about a name on GitHub. */
function addressOf(origin: string): string {
  return /^(?:https|ssh):\/\/|^\w[\w.-]*@/.test(origin) ? origin : "";
}

async function git(project: string, args: readonly string[]): Promise<string | undefined> {
  const env = { ...withoutGitPlaces(process.env), GIT_TERMINAL_PROMPT: "0" };
  const { code, stdout, stderr } = await run("git", args, { cwd: project, env, allowFailure: true });
  if (/not a git repository|dubious ownership/.test(stderr)) {
    throw new KilnError("usage", `${project} is no checkout that Git reads: ${stderr.trim().split("\n")[0] ?? ""}`, {
      mend: "Run it in a clone that belongs to you.",
    });
  }
  return code === 0 ? stdout : undefined;
}
