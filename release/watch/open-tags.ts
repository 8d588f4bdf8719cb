import { access } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { apiAddress } from "../../runners/github/package-state.ts";
import { githubConnection, remoteRepository } from "../github/connection.ts";
import { git, loginEnvironment, readOrigin } from "../github/git.ts";
import { gitTags } from "./git-tags.ts";
import { githubTags } from "./github-tags.ts";
import { readPusherToken, requirePusher } from "./pusher-token.ts";
import type { TagRepository } from "./tag-repository.ts";

export interface OpenTagsOptions {
  /** A checkout with a remote `origin`; without `.git` it is none, and GitHub's API is asked instead. */
  readonly checkout: string;
  readonly via: "git" | "api" | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly dryRun: boolean;
  readonly now: () => number;
}

/** A repository of tags, with the login for GitHub where there is one. */
export interface OpenTags {
  readonly repository: TagRepository;
  /** For reading from GitHub's API too. */
  readonly login: { readonly api: string; readonly token: string } | undefined;
}

/** Nothing that GitHub accepts: stands where no token is needed. */
const NO_TOKEN = "none";

/** Opens the tags of `origin` by Git, or those of GITHUB_REPOSITORY by GitHub's API. Throws where they could not be pushed. */
export async function openTags({ checkout, via, env, dryRun, now }: OpenTagsOptions): Promise<OpenTags> {
  const isCheckout = await exists(path.join(checkout, ".git"));
  const origin = isCheckout ? await readOrigin(checkout) : undefined;
  const remote = origin === undefined ? undefined : remoteRepository(origin);
  const byGit = via === "git" || (via === undefined && origin !== undefined);
  const token = await tokenFor(env, origin, now());
  const login = token === undefined ? undefined : { api: connectionFor(env, origin, token).api, token };
  if (!byGit) {
    requirePusher(token, env, { needed: true });
    return { repository: githubTags(connectionFor(env, origin, token ?? NO_TOKEN)), login };
  }
  if (origin === undefined) {
    throw new KilnError("usage", `${checkout} is no checkout with a remote origin`, {
      mend: "Name one by --checkout, or ask GitHub's API: --via api.",
    });
  }
  const host = origin.startsWith("https://") ? remote?.host : undefined;
  // A person's own login starts workflows; in a workflow, whatever Git finds there is likely the workflow's own.
  requirePusher(token, env, { needed: host !== undefined && !dryRun && env.GITHUB_ACTIONS === "true" });
  const sends = host !== undefined && login?.api === apiAddress(host);
  const repository = gitTags({
    ...{ checkout, remote: "origin", author: await authorIn(checkout), now },
    env: sends ? loginEnvironment({ host: `https://${host}/`, token: login.token }, env) : {},
  });
  return { repository: { ...repository, name: remote?.repository ?? "origin" }, login };
}

async function tokenFor(env: NodeJS.ProcessEnv, origin: string | undefined, now: number): Promise<string | undefined> {
  const wanted = [env.KILN_APP_TOKEN, env.KILN_APP_ID, env.KILN_APP_PRIVATE_KEY_FILE].some(
    (value) => (value ?? "") !== "",
  );
  return wanted ? readPusherToken(env, connectionFor(env, origin, NO_TOKEN), now) : undefined;
}

/** The connection of GITHUB_API_URL and GITHUB_REPOSITORY, or of the remote; its token is the App's and no other. */
function connectionFor(env: NodeJS.ProcessEnv, origin: string | undefined, token: string) {
  return githubConnection({ ...env, GITHUB_TOKEN: token }, origin);
}

/** Who tags: the caller as Git knows them, or kiln itself where Git knows nobody. */
async function authorIn(checkout: string): Promise<{ readonly name: string; readonly email: string }> {
  const [name, email] = await Promise.all(
    ["user.name", "user.email"].map((key) => git(checkout, ["config", key], { allowFailure: true })),
  );
  const text = (value: string | undefined) => value?.replaceAll(/[<>\n]/g, "").trim() ?? "";
  if (text(name) === "" || text(email) === "")
    return { name: "kiln watch", email: "kiln-watch@users.noreply.github.com" };
  return { name: text(name), email: text(email) };
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
