import { stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { lastLines, run } from "../../toolchain/process.ts";
import { COMMIT, REPOSITORY_URL, requireEncrypted, type JobSource } from "./description.ts";
import { readingGit } from "./reading-git.ts";

/** What stands in a ref: no option, no range, no pattern. */
const REF = /^(?!-)(?!.*(?:\.\.|@\{|[\s~^:?*[\\]))[\w./@+-]{1,255}$/;
const ASK_MS = 60_000;

/**
 * The source of a job with what it stands for now: a folder as it is, or a repository with the commit of its ref. `ref` is a
 * branch, a tag or a commit. Throws a usage error where there is no such, `unreachable` where the repository is not.
 */
export async function pinSource(repository: string, ref: string | undefined): Promise<JobSource> {
  requireEncrypted(repository, `--repo ${withoutLogin(repository)}`);
  const isUrl = REPOSITORY_URL.test(repository);
  if (ref !== undefined && !REF.test(ref))
    throw new KilnError("usage", `"${ref}" is no name of a branch, tag or commit`);
  if (isUrl && ref === undefined) {
    throw new KilnError("usage", `--repo ${repository} names no commit`, {
      mend: "Add --ref with a commit, a tag or a branch: what it is now is what runs, and what is recorded.",
    });
  }
  if (isUrl && ref !== undefined) return pinnedRemote(repository, ref);
  const folder = path.resolve(repository);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new KilnError("usage", `${repository} is neither a folder nor an address of a repository`, {
      mend: "Name a folder, or write https://…, ssh://… or user@host:path.",
    });
  }
  return ref === undefined ? { kind: "directory", path: folder } : pinnedCheckout(folder, ref);
}

async function pinnedCheckout(folder: string, ref: string): Promise<JobSource> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`];
  const { code, stdout, stderr } = await readingGit(folder, args, { allowFailure: true });
  const commit = stdout.trim();
  if (code === 0 && COMMIT.test(commit)) return { kind: "checkout", path: folder, commit, ref };
  throw new KilnError("usage", `${folder} has no commit ${ref}${stderr === "" ? "" : `: ${lastLines(stderr, 1)}`}`);
}

async function pinnedRemote(url: string, ref: string): Promise<JobSource> {
  // Git gives a commit by its name to whoever asks; whether it is there shows in the container.
  if (COMMIT.test(ref)) return { kind: "repository", url, commit: ref };
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_ALLOW_PROTOCOL: "https:ssh" };
  const names = [`refs/tags/${ref}^{}`, `refs/tags/${ref}`, `refs/heads/${ref}`, ref];
  const args = ["ls-remote", "--", url, ...names];
  const { code, stdout, stderr } = await run("git", args, {
    env,
    allowFailure: true,
    signal: AbortSignal.timeout(ASK_MS),
  });
  if (code !== 0) {
    throw new KilnError(
      "unreachable",
      `${withoutLogin(url)} does not say what ${ref} is: ${withoutLogin(lastLines(stderr, 2))}`,
      {
        mend: "Check the address and your login to it (`git ls-remote`), or name the commit itself.",
      },
    );
  }
  const found = new Map(stdout.split("\n").map((line) => line.split("\t").reverse() as [string, string]));
  const commit = names.map((name) => found.get(name)).find((one) => one !== undefined);
  if (commit !== undefined && COMMIT.test(commit)) return { kind: "repository", url, commit, ref };
  throw new KilnError("usage", `${withoutLogin(url)} has no branch or tag ${ref}`, {
    mend: "Name another, or a commit.",
  });
}

/** A text without the login that an address in it has. */
function withoutLogin(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^/@\s]+@/g, "$1");
}
