import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { stackFile } from "../settings.ts";
import type { GithubConnection } from "./github/connection.ts";
import { writePullRequest, type PullRequestRequest, type WrittenPullRequest } from "./github/pull-request.ts";
import type { Promotion } from "./promote.ts";
import { writeWarmImage } from "./stack-file.ts";

/** What a promotion's pull request says. */
export interface PromotionText {
  /** One a target: a second promotion before the first is merged takes its place. */
  readonly branch: string;
  readonly message: string;
  readonly title: string;
  readonly text: string;
}

const SHOWN_DIGITS = 12;

/** The words of a promotion's pull request; `report` is what the command prints of it. Pure. */
export function promotionText(promotion: Promotion, report: string): PromotionText {
  const { from, to, warmImage, before } = promotion;
  const digest = warmImage.slice(warmImage.indexOf("@") + 1);
  const short = digest.replace("sha256:", "").slice(0, SHOWN_DIGITS);
  const title = `Promote ${short} from ${from} to ${to}`;
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

/** A stack file's text with another warm image. */
export async function withWarmImage(content: string, stack: string, warmImage: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-promotion-"));
  try {
    const file = path.join(folder, stackFile(stack));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    await writeWarmImage(folder, stack, warmImage);
    return await readFile(file, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
