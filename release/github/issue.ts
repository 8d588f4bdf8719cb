import { readOwnership, type Author } from "./author.ts";
import { askForAll, askGithub, askIfThere } from "./client.ts";
import type { GithubConnection } from "./connection.ts";
import { isMarked, marked, sameText } from "./marker.ts";

/** Which of kiln's issues: there is one open of a name, and all of a kind have one label. */
export interface IssueName {
  readonly name: string;
  readonly label: string;
}

export interface IssueText {
  readonly title: string;
  /** Markdown, without the marker. */
  readonly text: string;
}

export interface WrittenIssue {
  readonly outcome: "opened" | "updated" | "unchanged" | "closed" | "none open";
  /** Where a person reads it; nothing where there is none. */
  readonly address: string | undefined;
}

interface Issue {
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly html_url: string;
  readonly user: Author | null;
  /** There where it is a pull request, which GitHub lists among issues. */
  readonly pull_request?: unknown;
}

const NEEDS = "issues: write";

/** Opens the issue of a name, or edits the open one in place where it says something else. */
export async function writeIssue(
  connection: GithubConnection,
  name: IssueName,
  { title, text }: IssueText,
): Promise<WrittenIssue> {
  const { body } = marked(name.name, text);
  const found = await findIssue(connection, name);
  const issues = `/repos/${connection.repository}/issues`;
  if (found === undefined) {
    await readyLabel(connection, name.label);
    const issue = { title, body, labels: [name.label] };
    const opened = await askGithub<Issue>(connection, { method: "POST", path: issues, body: issue, needs: NEEDS });
    return { outcome: "opened", address: opened.html_url };
  }
  const address = found.html_url;
  if (found.title === title && sameText(found.body, body)) return { outcome: "unchanged", address };
  const path = `${issues}/${found.number}`;
  await askGithub(connection, { method: "PATCH", path, body: { title, body }, needs: NEEDS });
  return { outcome: "updated", address };
}

/** Closes the open issue of a name, with a last word on why. */
export async function closeIssue(
  connection: GithubConnection,
  name: IssueName,
  lastWord: string,
): Promise<WrittenIssue> {
  const found = await findIssue(connection, name);
  if (found === undefined) return { outcome: "none open", address: undefined };
  const path = `/repos/${connection.repository}/issues/${found.number}`;
  await askGithub(connection, {
    method: "POST",
    path: `${path}/comments`,
    body: { body: lastWord },
    needs: NEEDS,
  });
  const state = { state: "closed", state_reason: "completed" };
  await askGithub(connection, { method: "PATCH", path, body: state, needs: NEEDS });
  return { outcome: "closed", address: found.html_url };
}

async function findIssue(connection: GithubConnection, { name, label }: IssueName): Promise<Issue | undefined> {
  const isOwn = await readOwnership(connection);
  const path = `/repos/${connection.repository}/issues?state=open&labels=${encodeURIComponent(label)}`;
  const issues = await askForAll<Issue>(connection, { path, needs: NEEDS });
  return issues.find((issue) => issue.pull_request === undefined && isMarked(name, issue.body) && isOwn(issue.user));
}

/** Has the label, without which the issue would not be found again and would be opened anew every night. */
async function readyLabel(connection: GithubConnection, label: string): Promise<void> {
  const labels = `/repos/${connection.repository}/labels`;
  const found = await askIfThere(connection, { path: `${labels}/${encodeURIComponent(label)}`, needs: NEEDS });
  if (found !== undefined) return;
  const made = { name: label, color: "d93f0b", description: "What runs is not what the stacks' files say" };
  await askGithub(connection, { method: "POST", path: labels, body: made, needs: NEEDS });
}
