import { createHash } from "node:crypto";
import { mkdir, realpath, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { lastLines, run, throwIfInterrupted } from "../toolchain/process.ts";
import { withLock } from "../toolchain/lock.ts";
import { withoutGitPlaces } from "./git-environment.ts";
import { withoutUserInfo } from "./go/fault.ts";
import { isDirectory } from "./source-files.ts";

/** A repository at one commit, written `URL#COMMIT` or `URL#COMMIT:DIRECTORY`, as Docker writes build contexts. */
export interface GitSource {
  readonly url: string;
  /** 40 or 64 hexadecimal digits: a branch or tag would be another source tomorrow. */
  readonly commit: string;
  /** Below the repository's root; `.` for all of it. */
  readonly directory: string;
}

const ADDRESS = /^(?:(?:https|ssh|file):\/\/|\w[\w.-]*@\w[\w.-]*:)/i;

/**
 * Reads a `--source` that is a Git address; undefined for a path. Throws a usage error where the address has no commit, a
 * password, or a directory outside the repository.
 */
export function parseGitSource(text: string): GitSource | undefined {
  if (/^(?:http|git):\/\//i.test(text)) {
    throw new KilnError("usage", `--source ${withoutUserInfo(text)} is not encrypted`, {
      mend: "Write https:// or ssh://.",
    });
  }
  if (!ADDRESS.test(text)) return undefined;
  const [, url = "", commit = "", directory = "."] = /^([^#]*)(?:#([^:]*)(?::(.*))?)?$/s.exec(text) ?? [];
  const shown = withoutUserInfo(url).replace(/\?.*$/, "?…");
  // Of SSH the user is part of the address; elsewhere what stands there may be a token.
  if (/^(?:https|file):\/\/[^/]*@/i.test(url) || /^[a-z]+:\/\/[^/@]*:[^/@]*@/i.test(url) || url.includes("?")) {
    throw new KilnError("usage", `--source ${shown} has a login in it, which everybody sees who lists processes`, {
      mend: "Leave out what stands before the @ and after a question mark: Git takes logins from its credential helpers, from ~/.netrc, or from SSH.",
    });
  }
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) {
    throw new KilnError(
      "usage",
      `--source ${shown} names ${commit === "" ? "no commit" : `"${commit}", which is no commit`}`,
      {
        mend: `Write ${shown}#<all 40 digits of the commit>; \`git ls-remote ${shown}\` lists what branches and tags point to.`,
      },
    );
  }
  if (directory === "" || directory.startsWith("/") || directory.split("/").includes("..")) {
    throw new KilnError(
      "usage",
      `--source ${shown} names the directory "${directory}", which is not below the repository`,
      {
        mend: "Write URL#COMMIT:path/below/the/repository.",
      },
    );
  }
  return { url, commit, directory };
}

/** A fetch in which no byte moves for this long is broken off (Git's own low-speed limits). */
const SILENT_SECONDS = 60;

/**
 * Checks a Git source out below `folder`, once: a commit never changes. Returns the absolute path of its directory. Uses the
 * caller's Git logins and never asks for one; fetches neither history nor submodules, and runs no hooks.
 */
export async function readyGitSource(source: GitSource, folder: string, progress: Progress): Promise<string> {
  const { url, commit } = source;
  const checkout = path.join(folder, `${createHash("sha256").update(url).digest("hex").slice(0, 12)}-${commit}`);
  await withLock(`${checkout}.lock`, progress, `the checkout of ${withoutUserInfo(url)}`, async () => {
    if (await isDirectory(checkout)) return;
    progress.step(`fetching ${withoutUserInfo(url)} at ${commit.slice(0, 12)}`);
    const partial = `${checkout}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    try {
      await git(partial, ["init", "--quiet"], source);
      await fetchCommit(partial, source);
      await git(partial, ["checkout", "--quiet", "--detach", commit], source);
      await rm(path.join(partial, ".git"), { recursive: true });
      await rename(partial, checkout);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  });
  const directory = path.join(checkout, source.directory);
  if ((await isDirectory(directory)) && (await leadsInto(checkout, directory))) return directory;
  throw new KilnError("usage", `${withoutUserInfo(url)} has no directory ${source.directory} at ${commit}`, {
    mend: "Correct what stands after the colon in --source.",
  });
}

/** Whether a directory is below another by its real path: a repository may hold links to anywhere. */
async function leadsInto(above: string, directory: string): Promise<boolean> {
  return `${await realpath(directory)}/`.startsWith(`${await realpath(above)}/`);
}

/** Fetches one commit; all branches and tags from servers that give no commit by itself. */
async function fetchCommit(repository: string, source: GitSource): Promise<void> {
  const { url, commit } = source;
  try {
    await git(repository, ["fetch", "--quiet", "--depth=1", "--no-tags", "--", url, commit], source);
  } catch (error) {
    throwIfInterrupted();
    if (!(error instanceof KilnError) || !/not our ref|unadvertised|couldn't find remote ref/i.test(error.message))
      throw error;
    await git(
      repository,
      ["fetch", "--quiet", "--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"],
      source,
    );
  }
}

const SETTINGS = [
  ...["-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", "-c", "protocol.ext.allow=never"],
  ...["-c", "http.lowSpeedLimit=1", "-c", `http.lowSpeedTime=${SILENT_SECONDS}`, "-c", "advice.detachedHead=false"],
];

async function git(cwd: string, args: readonly string[], source: GitSource): Promise<void> {
  // Without a terminal, SSH cannot ask either: `run` starts a session of its own.
  const env = { ...withoutGitPlaces(process.env), GIT_TERMINAL_PROMPT: "0" };
  const { code, stderr } = await run("git", [...SETTINGS, ...args], { cwd, env, allowFailure: true });
  if (code === 0) return;
  throw new KilnError(
    "unreachable",
    `${withoutUserInfo(source.url)} does not give ${source.commit}: ${withoutUserInfo(lastLines(stderr, 3))}`,
    {
      mend: "Check the address and the commit, and that `git fetch` of it works here without a prompt (credential helper, ~/.netrc, SSH agent).",
    },
  );
}
