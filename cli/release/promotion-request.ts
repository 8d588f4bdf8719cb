import { githubConnection } from "../../release/github/connection.ts";
import { readOrigin } from "../../release/github/git.ts";
import type { WrittenPullRequest } from "../../release/github/pull-request.ts";
import type { Promotion } from "../../release/promote.ts";
import { requestPromotion } from "../../release/promotion-request.ts";
import type { Progress } from "../../progress.ts";

/** What `kiln release promote --pull-request` adds to a promotion: the connection is looked for before anything is copied. */
export interface PromotionRequest {
  /** Opens or updates the pull request, and says so in one line. */
  open(promotion: Promotion, report: string, progress: Progress): Promise<RequestedPromotion>;
}

export interface RequestedPromotion {
  readonly pullRequest: WrittenPullRequest;
  readonly text: string;
}

/** Readies the request for a promotion's pull request. Throws where there is no token, or no repository, to open it in. */
export async function readyPromotionRequest(project: string, env: NodeJS.ProcessEnv): Promise<PromotionRequest> {
  const connection = githubConnection(env, await readOrigin(project));
  return {
    async open(promotion, report, progress) {
      progress.step(`asking for ${promotion.to} in a pull request`);
      const pullRequest = await requestPromotion(connection, project, promotion, report);
      return { pullRequest, text: requestText(pullRequest, promotion.to) };
    },
  };
}

/** What became of the pull request, in lines for a person. */
export function requestText({ outcome, address, startsNoWorkflow }: WrittenPullRequest, stack: string): string {
  if (address === undefined) return `no pull request: the default branch names this image for ${stack} already`;
  const note = startsNoWorkflow
    ? "\nGitHub starts no workflow for a workflow's own token: close and open it again, or let an App's token open it."
    : "";
  return `pull request ${outcome}: ${address}${note}`;
}
