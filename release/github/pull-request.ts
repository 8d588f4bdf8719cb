import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { askForAll, askGithub } from "./client.ts";
import { apiAddress } from "../../runners/github/package-state.ts";
import { remoteRepository, type GithubConnection } from "./connection.ts";
import { git, loginEnvironment, readOrigin } from "./git.ts";
import { marked, sameText } from "./marker.ts";

/** One commit of one file on a branch of its own, and the pull request for it. */
export interface PullRequestRequest {
  /** The checkout: nothing in it changes, neither files nor index nor branch. */
  readonly project: string;
  readonly branch: string;
  /** Relative to the checkout. */
  readonly file: string;
  /** The file's new content, from what it is on the default branch. */
  readonly edit: (content: string) => string;
  /** The commit's message, and the pull request's title and text. */
  readonly message: string;
  readonly title: string;
  readonly text: string;
}

export interface WrittenPullRequest {
  readonly outcome: "opened" | "updated" | "unchanged" | "already merged";
  /** Where a person reads it; nothing where the default branch says so already. */
  readonly address: string | undefined;
  /** GitHub starts no workflow for what a workflow's own token did: the checks of this pull request will not run by themselves. */
  readonly startsNoWorkflow: boolean;
}

interface Pull {
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly html_url: string;
  readonly user: { readonly login: string } | null;
}

const NEEDS = "pull-requests: write";
const WORKFLOWS_OWN = "github-actions[bot]";

/**
 * Has an open pull request that makes a file of the default branch what `edit` says. A second run changes nothing; where the
 * default branch or the request's text moved on, branch and text follow.
 */
export async function writePullRequest(
  connection: GithubConnection,
  request: PullRequestRequest,
): Promise<WrittenPullRequest> {
  const { repository } = connection;
  const { default_branch: base } = await askGithub<{ default_branch: string }>(connection, {
    path: `/repos/${repository}`,
    needs: "metadata: read",
  });
  const pushed = await pushFile(connection, request, base);
  if (pushed === "already there") return { outcome: "already merged", address: undefined, startsNoWorkflow: false };
  const [owner = ""] = repository.split("/");
  const pulls = `/repos/${repository}/pulls`;
  const query = `?state=open&base=${encodeURIComponent(base)}&head=${encodeURIComponent(`${owner}:${request.branch}`)}`;
  const [found] = await askForAll<Pull>(connection, { path: pulls + query, needs: NEEDS });
  const { title } = request;
  const { body } = marked(request.branch.replaceAll("/", "-"), request.text);
  if (found === undefined) {
    const made = { title, body, head: request.branch, base };
    const opened = await askGithub<Pull>(connection, { method: "POST", path: pulls, body: made, needs: NEEDS });
    return { outcome: "opened", address: opened.html_url, startsNoWorkflow: opened.user?.login === WORKFLOWS_OWN };
  }
  const same = found.title === title && sameText(found.body, body);
  if (!same) {
    const path = `${pulls}/${found.number}`;
    await askGithub(connection, { method: "PATCH", path, body: { title, body }, needs: NEEDS });
  }
  return {
    outcome: same && pushed === "unchanged" ? "unchanged" : "updated",
    address: found.html_url,
    startsNoWorkflow: pushed === "pushed" && found.user?.login === WORKFLOWS_OWN,
  };
}

/** Has the branch on the remote with one commit of the file above the default branch. */
async function pushFile(
  connection: GithubConnection,
  { project, branch, file, edit, message }: PullRequestRequest,
  base: string,
): Promise<"pushed" | "unchanged" | "already there"> {
  const env = await remoteEnvironment(project, connection);
  const remote = new Map(
    (await reached(project, ["ls-remote", "origin", `refs/heads/${base}`, `refs/heads/${branch}`], env))
      .split("\n")
      .flatMap((line) => {
        const [commit, name] = line.split("\t");
        return commit === undefined || name === undefined ? [] : [[name.replace("refs/heads/", ""), commit] as const];
      }),
  );
  const [onto, there] = [remote.get(base), remote.get(branch)];
  if (onto === undefined) throw new KilnError("failed", `the remote origin has no branch ${base}`);
  const wanted = [onto, ...(there === undefined ? [] : [there])];
  await reached(project, ["fetch", "--quiet", "--no-tags", "origin", ...wanted], env);

  const content = await git(project, ["show", `${onto}:${file}`]);
  const fresh = edit(content);
  if (fresh === content) return "already there";
  const tree = await treeWith(project, onto, file, fresh);
  if (there !== undefined && (await saysSo(project, there, onto, tree))) return "unchanged";
  const commit = await git(project, ["commit-tree", tree, "-p", onto, "-F", "-"], {
    input: `${message}\n`,
    env: await committer(project),
  });
  // The lease: what somebody pushed there since it was looked at is not lost unseen.
  const lease = `--force-with-lease=refs/heads/${branch}:${there ?? ""}`;
  await reached(project, ["push", "--quiet", lease, "origin", `${commit.trim()}:refs/heads/${branch}`], env);
  return "pushed";
}

/** Whether a branch is one commit with this tree on the present default branch. */
async function saysSo(project: string, commit: string, onto: string, tree: string): Promise<boolean> {
  const found = await git(project, ["rev-parse", `${commit}^{tree}`, `${commit}^@`], { allowFailure: true });
  return found?.trim() === `${tree}\n${onto}`;
}

/** The tree of a commit with one file changed, made in an index of its own. */
async function treeWith(project: string, commit: string, file: string, content: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-index-"));
  try {
    const env = { GIT_INDEX_FILE: path.join(folder, "index") };
    const blob = (await git(project, ["hash-object", "-w", "--stdin"], { input: content })).trim();
    await git(project, ["read-tree", commit], { env });
    await git(project, ["update-index", "--cacheinfo", `100644,${blob},${file}`], { env });
    return (await git(project, ["write-tree"], { env })).trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Over HTTPS the token is the login, of its own host alone; over SSH, or from a folder, it is the caller's own. */
async function remoteEnvironment(project: string, { api, token }: GithubConnection): Promise<NodeJS.ProcessEnv> {
  const origin = await readOrigin(project);
  if (origin === undefined) {
    throw new KilnError("usage", "this checkout has no remote origin to push a branch to", {
      mend: "Add it: git remote add origin https://github.com/<owner>/<repository>",
    });
  }
  const remote = remoteRepository(origin);
  if (!origin.startsWith("https://") || remote === undefined || apiAddress(remote.host) !== api) return {};
  return loginEnvironment({ host: `https://${remote.host}/`, token }, process.env);
}

/** What Git prints of the remote. Throws that it could not be reached, or that somebody else pushed in the meantime. */
async function reached(project: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  try {
    return await git(project, args, { env });
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "failed") throw error;
    if (/stale info|fetch first|non-fast-forward/i.test(error.message)) {
      throw new KilnError("failed", `somebody else pushed that branch at this moment: ${error.message}`, {
        mend: "Look at what they pushed, then run the command again.",
        cause: error,
      });
    }
    throw new KilnError("unreachable", error.message, {
      mend: "The token needs contents: write for the branch; over SSH, `git push` must work here without a prompt.",
      cause: error,
    });
  }
}

/** Who commits: the caller as Git knows them, or GitHub's own bot where Git knows nobody, as in a workflow. */
async function committer(project: string): Promise<NodeJS.ProcessEnv> {
  if ((await git(project, ["config", "user.email"], { allowFailure: true })) !== undefined) return {};
  const [name, email] = [WORKFLOWS_OWN, "41898282+github-actions[bot]@users.noreply.github.com"];
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}
