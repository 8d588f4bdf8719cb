import { askGithub, type GithubRequest } from "./client.ts";
import type { GithubConnection } from "./connection.ts";
import { GithubRefusal } from "./refusal.ts";

/** Who wrote a text on GitHub; nobody where the account is gone. */
export interface Author {
  readonly login: string;
  /** `User` or `Bot`. */
  readonly type: string;
}

/**
 * Whether a text is by the one whose token this is, so that nobody's own text is ever written over because it quotes a marker. A
 * token of an App, as workflows have, may not ask who it is: its texts are those of bots, and no person can write as one.
 */
export async function readOwnership(
  connection: GithubConnection,
): Promise<(author: Author | null | undefined) => boolean> {
  const request: GithubRequest = { path: "/user", needs: "metadata: read" };
  try {
    const { login } = await askGithub<Author>(connection, request);
    return (author) => author?.login === login;
  } catch (error) {
    if (!(error instanceof GithubRefusal) || error.status !== 403) throw error;
    return (author) => author?.type === "Bot";
  }
}
