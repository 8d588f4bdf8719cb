import { KilnError } from "../errors.ts";
import { git } from "./github/git.ts";
import type { FileVersion } from "./history.ts";

/** The present commit, of whatever branch, or of none. */
const HEAD = "HEAD";

/** Where stacks are deployed from: what `git clone` or `git remote set-head` noted, then usual names. */
const TRUNKS = [
  "refs/remotes/origin/HEAD",
  "refs/remotes/origin/main",
  "refs/remotes/origin/master",
  "refs/heads/main",
];

/** A version of some file: of which, and on which branch where it is none of the present one. */
export interface BranchVersion extends FileVersion {
  readonly file: string;
  readonly branch?: string;
}

/** Every stack's file, wherever Git has it. */
const STACK_FILES = ":(glob)stacks/Pulumi.*.yaml";

/** How Git prints the names of files: as they are, and below the project. */
const PLAIN = ["-c", "core.quotePath=false"];
const NAMES = ["--name-only", "--relative"];

/** Fields of a commit, each ended by a character that no subject has; a line of its own begins with another. */
const [START, END] = ["\u0001", "\u0000"];
const FORMAT = `--format=%x01${["%H", "%cI", "%aI", "%s"].join("%x00")}%x00`;

/**
 * Reads the versions of a file on a branch, the present one unless said, the newest first: a merge counts as the commit at which
 * they came. None where nothing was committed. Throws where Git has only a part of the history.
 */
export async function readFileVersions(project: string, file: string, branch = HEAD): Promise<readonly FileVersion[]> {
  await requireWholeHistory(project);
  const log = await git(project, ["log", "--first-parent", FORMAT, branch, "--", file]);
  const commits = commitsIn(log).map((commit) => ({ ...commit, file }));
  return readTexts(project, commits);
}

/** The stack files that a branch, the present one unless said, has or had; relative to the project. */
export async function readStackFiles(project: string, branch = HEAD): Promise<readonly string[]> {
  await requireWholeHistory(project);
  const log = await git(project, [...PLAIN, "log", "--format=", ...NAMES, branch, "--", STACK_FILES]);
  return [...new Set(linesOf(log))].sort();
}

/**
 * The branches whose history says what stacks ran: the present one, and the default one of origin where that is at another commit.
 * Whoever cleans up from a feature branch or a tag would else forget what was deployed long before.
 */
export async function readTrunks(project: string): Promise<readonly string[]> {
  const here = await readCommit(project, HEAD);
  for (const trunk of TRUNKS) {
    const commit = await readCommit(project, trunk);
    if (commit !== undefined) return commit === here ? [HEAD] : [HEAD, trunk];
  }
  return [HEAD];
}

/**
 * What stack files said in commits of any branch since a moment, and at the end of each branch however old: an open pull request
 * names an image that the present branch does not.
 */
export async function readBranchVersions(project: string, since: Date): Promise<readonly BranchVersion[]> {
  const range = ["--branches", "--remotes", "--full-history", `--since=${since.toISOString()}`];
  const log = await git(project, [...PLAIN, "log", ...range, FORMAT, ...NAMES, "--", STACK_FILES]);
  const recent = log.split(START).flatMap((part) => {
    const [commit] = commitsIn(START + part);
    if (commit === undefined) return [];
    return linesOf(part.slice(part.lastIndexOf(END) + 1)).map((file) => ({ ...commit, file }));
  });
  const listed = await git(project, ["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes"]);
  const tips: Omit<BranchVersion, "text">[] = [];
  for (const branch of linesOf(listed)) {
    const [commit] = commitsIn(await git(project, ["log", "--max-count=1", FORMAT, branch, "--"]));
    const files = linesOf(await git(project, ["ls-tree", "--name-only", branch, "stacks/"]));
    const stacks = files.filter((file) => /^stacks\/Pulumi\.[^/]*\.yaml$/.test(file));
    if (commit !== undefined) tips.push(...stacks.map((file) => ({ ...commit, file, branch })));
  }
  return readTexts(project, [...recent, ...tips]);
}

/** A file at a commit, a branch or a tag, with that commit. Throws a usage error where there is no such commit. */
export async function readFileAt(project: string, revision: string, file: string): Promise<FileVersion> {
  const commit = await readCommit(project, revision);
  const [found] = commit === undefined ? [] : commitsIn(await git(project, ["log", "--max-count=1", FORMAT, commit]));
  const [version] = found === undefined ? [] : await readTexts(project, [{ ...found, file }]);
  if (version !== undefined) return version;
  throw new KilnError("usage", `there is no commit ${JSON.stringify(revision)} here`, {
    mend: "Name one that `kiln release history` lists.",
  });
}

/** Whether a file differs from what is committed, or is not committed at all. */
export async function readIsUncommitted(project: string, file: string): Promise<boolean> {
  return (await git(project, ["status", "--porcelain", "--ignored", "--", file])).trim() !== "";
}

/** A clone with a part of the history would tell of a part of the images, and the others would be taken for unused. */
async function requireWholeHistory(project: string): Promise<void> {
  if ((await readCommit(project, "HEAD")) === undefined) {
    throw new KilnError("usage", `${project} has no history of stacks/`, {
      mend: "Run this in a clone of the repository, with at least one commit.",
    });
  }
  if ((await git(project, ["rev-parse", "--is-shallow-repository"])).trim() === "false") return;
  throw new KilnError("usage", `${project} is a shallow clone, which does not have the history of stacks/`, {
    mend: "Run `git fetch --unshallow`; in a workflow give actions/checkout `fetch-depth: 0`.",
  });
}

/** All digits of a commit; nothing where there is no such one, or no repository. */
async function readCommit(project: string, revision: string): Promise<string | undefined> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  return (await git(project, args, { allowFailure: true }))?.trim();
}

type Commit = Omit<FileVersion, "text">;

function commitsIn(log: string): readonly Commit[] {
  return log.split(START).flatMap((part) => {
    const [commit = "", committed = "", authored = "", subject, end] = part.split(END);
    return subject === undefined || end === undefined ? [] : [{ commit, committed, authored, subject }];
  });
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Reads each file at its commit, all by one process. */
async function readTexts<Asked extends Commit & { readonly file: string }>(
  project: string,
  asked: readonly Asked[],
): Promise<readonly (Asked & { readonly text: string | undefined })[]> {
  const input = asked.map(({ commit, file }) => `${commit}:./${file}\n`).join("");
  if (input === "") return [];
  let rest = Buffer.from(await git(project, ["cat-file", "--batch"], { input }));
  return asked.map((version) => {
    const head = rest.subarray(0, rest.indexOf("\n")).toString();
    rest = rest.subarray(head.length + 1);
    const [, size] = /^[0-9a-f]+ blob (\d+)$/.exec(head) ?? [];
    if (size === undefined) return { ...version, text: undefined };
    const text = rest.subarray(0, Number(size)).toString();
    rest = rest.subarray(Number(size) + 1);
    return { ...version, text };
  });
}
