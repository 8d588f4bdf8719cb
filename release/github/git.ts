import { withoutGitPlaces } from "../../cache/git-environment.ts";
import { withoutUserInfo } from "../../cache/go/fault.ts";
import { KilnError } from "../../errors.ts";
import { lastLines, run } from "../../toolchain/process.ts";
import type { ChangedFile } from "../touched-stacks.ts";

export interface GitOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Buffer;
  /** Give nothing instead of throwing where Git exits with another code than 0. */
  readonly allowFailure?: boolean;
}

/** A login that Git gets by its environment, so that it stands in no command line and in no file. */
export interface GitLogin {
  /** Whose requests get it: `https://github.com/`. */
  readonly host: string;
  readonly token: string;
}

/**
 * What Git prints, run in a checkout without hooks and without asking for a login. Throws a usage error with its last lines; with
 * `allowFailure` it gives nothing instead.
 */
export async function git(
  project: string,
  args: readonly string[],
  options?: GitOptions & { allowFailure?: false },
): Promise<string>;
export async function git(project: string, args: readonly string[], options: GitOptions): Promise<string | undefined>;
export async function git(
  project: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string | undefined> {
  const env = { ...withoutGitPlaces(process.env), GIT_TERMINAL_PROMPT: "0", ...options.env };
  const { code, stdout, stderr } = await run("git", ["-c", "core.hooksPath=/dev/null", ...args], {
    cwd: project,
    env,
    allowFailure: true,
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (code === 0) return stdout;
  if (options.allowFailure === true) return undefined;
  throw new KilnError("failed", `git ${args.slice(0, 2).join(" ")} failed: ${withoutUserInfo(saidIn(stderr))}`, {
    mend: "Run it by hand in the checkout to see more.",
  });
}

/** The last lines of what Git says, and before them what the remote says: why it refuses something. */
function saidIn(stderr: string): string {
  const last = lastLines(stderr, 3);
  const remote = stderr.split("\n").filter((line) => /^remote: *\S/.test(line) && !last.includes(line));
  return [...remote.slice(0, 5).map((line) => line.trim()), last].join("\n");
}

/** What makes Git send a login to one host, instead of one that the checkout was left with, added to the settings in `env`. */
export function loginEnvironment({ host, token }: GitLogin, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const key = `http.${host}.extraheader`;
  const header = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
  // The empty value takes back what stands in the checkout's settings: of two such headers GitHub refuses both.
  const values = ["", header];
  const first = Number(env.GIT_CONFIG_COUNT ?? 0);
  const pairs = values.flatMap((value, index) => [
    [`GIT_CONFIG_KEY_${first + index}`, key],
    [`GIT_CONFIG_VALUE_${first + index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(first + values.length), ...(Object.fromEntries(pairs) as NodeJS.ProcessEnv) };
}

/** The address of the remote `origin`; nothing in a folder that has none. */
export async function readOrigin(project: string): Promise<string | undefined> {
  return (await git(project, ["remote", "get-url", "origin"], { allowFailure: true }))?.trim();
}

/** What GitHub names as the commit before a branch's first. */
const NO_COMMIT = /^0{40}(?:0{24})?$/;

/** The files that differ at `head` from where it left `base`. A base of zeros stands for an empty repository. */
export async function readChanges(project: string, base: string, head: string): Promise<readonly ChangedFile[]> {
  const from = NO_COMMIT.test(base) ? await emptyTree(project) : await mergeBase(project, base, head);
  await requireCommit(project, head);
  const args = ["diff", "--name-status", "-z", "--find-renames", "--no-ext-diff", from, head, "--"];
  return parseNameStatus(await git(project, args));
}

async function emptyTree(project: string): Promise<string> {
  return (await git(project, ["hash-object", "-t", "tree", "--stdin"], { input: "" })).trim();
}

async function mergeBase(project: string, base: string, head: string): Promise<string> {
  await requireCommit(project, base);
  await requireCommit(project, head);
  const found = await git(project, ["merge-base", base, head], { allowFailure: true });
  if (found !== undefined) return found.trim();
  throw new KilnError("usage", `${base} and ${head} have no commit in common here`, {
    mend: "Fetch more of the history: in a workflow, actions/checkout with fetch-depth: 0.",
  });
}

async function requireCommit(project: string, name: string): Promise<void> {
  const found = await git(project, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`], {
    allowFailure: true,
  });
  if (found !== undefined) return;
  throw new KilnError("usage", `there is no commit ${name} in this checkout`, {
    mend: "Name a branch, tag or commit that is here; in a workflow, actions/checkout with fetch-depth: 0 fetches all.",
  });
}

/** The files that `git diff --name-status -z` lists. */
export function parseNameStatus(text: string): readonly ChangedFile[] {
  const fields = text.split("\0");
  const changes: ChangedFile[] = [];
  for (let at = 0; at + 1 < fields.length;) {
    const [status = "", first = "", second = ""] = fields.slice(at, at + 3);
    const two = /^[RC]/.test(status);
    if (two) changes.push({ path: second, ...(status.startsWith("R") ? { before: first } : {}), deleted: false });
    else changes.push({ path: first, deleted: status === "D" });
    at += two ? 3 : 2;
  }
  return changes;
}
