import { KilnError } from "../../errors.ts";
import { apiAddress } from "../../runners/github/package-state.ts";

/** Where GitHub is, which repository is meant, and as whom it is asked. */
export interface GithubConnection {
  /** Without a slash at its end: `https://api.github.com`, `https://host/api/v3`. */
  readonly api: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
  /** Waits so many milliseconds; tests do not. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/** A repository as Git addresses it. */
export interface RemoteRepository {
  readonly host: string;
  /** `owner/name`. */
  readonly repository: string;
}

const NAME = /^[\w.-]+\/[\w.-]+$/;

/** The repository of a remote's address; nothing for an address of another form, such as a folder. */
export function remoteRepository(url: string): RemoteRepository | undefined {
  const [, host, path = ""] =
    /^(?:https?|ssh):\/\/(?:[^@/]*@)?([^/:]+)(?::\d+)?\/(.+)$/.exec(url.trim()) ??
    /^(?:[^@/]+@)?([\w.-]+):([^/].*)$/.exec(url.trim()) ??
    [];
  const repository = path.replace(/\/+$/, "").replace(/\.git$/, "");
  return host === undefined || !NAME.test(repository) ? undefined : { host, repository };
}

/**
 * The connection that the environment describes: GITHUB_TOKEN or GH_TOKEN, GITHUB_API_URL and GITHUB_REPOSITORY as workflows have
 * them, and otherwise the repository and host of the remote `origin`. Throws where a part is missing; no error has the token.
 */
export function githubConnection(env: NodeJS.ProcessEnv, origin: string | undefined): GithubConnection {
  const remote = origin === undefined ? undefined : remoteRepository(origin);
  const repository = given(env.GITHUB_REPOSITORY) ?? remote?.repository;
  if (repository === undefined || !NAME.test(repository)) {
    throw new KilnError("usage", "no GitHub repository is known here", {
      mend: "Set GITHUB_REPOSITORY to owner/name, or run this in a checkout whose remote `origin` is on GitHub.",
    });
  }
  return { api: apiOf(env, remote), repository, token: tokenOf(env) };
}

function apiOf(env: NodeJS.ProcessEnv, remote: RemoteRepository | undefined): string {
  const address = given(env.GITHUB_API_URL) ?? apiAddress(remote?.host ?? "github.com");
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const loopback = url?.hostname === "localhost" || url?.hostname === "127.0.0.1";
  if (url?.protocol === "https:" || (url?.protocol === "http:" && loopback)) return address.replace(/\/+$/, "");
  throw new KilnError("usage", `GITHUB_API_URL is ${JSON.stringify(address)}, which is no https address`, {
    mend: "Set it to https://api.github.com or to https://<host>/api/v3: a token travels with every request.",
  });
}

function tokenOf(env: NodeJS.ProcessEnv): string {
  const token = given(env.GITHUB_TOKEN) ?? given(env.GH_TOKEN);
  if (token === undefined) {
    throw new KilnError("unreachable", "there is no token for GitHub", {
      mend: "Set GITHUB_TOKEN or GH_TOKEN: in a workflow to ${{ github.token }}, on a laptop to what `gh auth token` prints.",
    });
  }
  // A header takes nothing else, and what refuses it would print it.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new KilnError("usage", "the token for GitHub has blanks or other characters that no token has", {
    mend: "Set GITHUB_TOKEN to the token alone.",
  });
}

/** A variable that is there and not blank: workflows set what is missing to an empty text. */
function given(value: string | undefined): string | undefined {
  const text = value?.trim() ?? "";
  return text === "" ? undefined : text;
}
