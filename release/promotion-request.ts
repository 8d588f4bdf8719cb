import { shortDigest } from "../registry/image-reference.ts";
import { stackFile } from "../settings.ts";
import type { GithubConnection } from "./github/connection.ts";
import { writePullRequest, type PullRequestRequest, type WrittenPullRequest } from "./github/pull-request.ts";
import type { Promotion } from "./promote.ts";
import { withWarmImage } from "./stack-file.ts";

/** What a promotion's pull request says. */
export interface PromotionText {
  /** One a target: a second promotion before the first is merged takes its place. */
  readonly branch: string;
  readonly message: string;
  readonly title: string;
  readonly text: string;
}

/** The words of a promotion's pull request; `report` is what the command prints of it. Pure. */
export function promotionText(promotion: Promotion, report: string): PromotionText {
  const { from, to, warmImage, before } = promotion;
  const title = `Promote ${shortDigest(warmImage)} from ${from} to ${to}`;
  const file = stackFile(to);
  return {
    branch: `kiln/promote-${to}`,
    title,
    message: `${title}\n\n${file} names the warm image that was verified for ${from}:\n${warmImage}`,
    text: [
      `Merging this makes \`${to}\` run the warm image of \`${from}\`. It is in the registry of \`${to}\` already, with its record.`,
      "",
      "```text",
      report.trimEnd(),
      "```",
      "",
      before === undefined
        ? `\`${to}\` has had no warm image so far.`
        : `A rollback is a revert of the merge: \`${file}\` then names \`${before.slice(before.indexOf("@") + 1)}\` again.`,
    ].join("\n"),
  };
}

/** Opens or updates the pull request that writes a promoted image into the target's file as it is on the default branch. */
export async function requestPromotion(
  connection: GithubConnection,
  project: string,
  promotion: Promotion,
  report: string,
): Promise<WrittenPullRequest> {
  const { to, warmImage } = promotion;
  const request: PullRequestRequest = {
    project,
    file: stackFile(to),
    edit: (content) => withWarmImage(content, to, warmImage),
    ...promotionText(promotion, report),
  };
  return writePullRequest(connection, request);
}
