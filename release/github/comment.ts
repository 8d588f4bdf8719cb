import { readOwnership, type Author } from "./author.ts";
import { askForAll, askGithub } from "./client.ts";
import type { GithubConnection } from "./connection.ts";
import { isMarked, marked, sameText } from "./marker.ts";

export interface CommentRequest {
  readonly pullRequest: number;
  /** Which of kiln's comments there: `bake`, say. There is one of a name. */
  readonly name: string;
  /** Markdown, without the marker. */
  readonly text: string;
}

export interface WrittenComment {
  readonly outcome: "created" | "updated" | "unchanged";
  /** Where a person reads it. */
  readonly address: string;
  /** Whether the text was longer than GitHub takes. */
  readonly cut: boolean;
}

interface Comment {
  readonly id: number;
  readonly body: string | null;
  readonly html_url: string;
  readonly user: Author | null;
}

const NEEDS = "pull-requests: write";

/** Writes the one comment of a name on a pull request: makes it, or edits it in place where it says something else. */
export async function writeComment(connection: GithubConnection, request: CommentRequest): Promise<WrittenComment> {
  const { repository } = connection;
  const { body, cut } = marked(request.name, request.text);
  const list = `/repos/${repository}/issues/${request.pullRequest}/comments`;
  const isOwn = await readOwnership(connection);
  const comments = await askForAll<Comment>(connection, { path: list, needs: NEEDS });
  const found = comments.find((comment) => isMarked(request.name, comment.body) && isOwn(comment.user));
  if (found === undefined) {
    const made = await askGithub<Comment>(connection, { method: "POST", path: list, body: { body }, needs: NEEDS });
    return { outcome: "created", address: made.html_url, cut };
  }
  if (sameText(found.body, body)) return { outcome: "unchanged", address: found.html_url, cut };
  const path = `/repos/${repository}/issues/comments/${found.id}`;
  await askGithub(connection, { method: "PATCH", path, body: { body }, needs: NEEDS });
  return { outcome: "updated", address: found.html_url, cut };
}
