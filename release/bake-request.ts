import { shortDigest } from "../registry/image-reference.ts";
import { stackFile } from "../settings.ts";
import type { GithubConnection } from "./github/connection.ts";
import { writePullRequest, type WrittenPullRequest } from "./github/pull-request.ts";
import { withWarmImage } from "./stack-file.ts";

/** An image that was baked and verified for a stack, whose file on the default branch is to name it. */
export interface BakedFor {
  readonly stack: string;
  /** `repository@sha256:…`. */
  readonly warmImage: string;
}

/** Opens or updates the pull request that writes a baked image into its stack's file as it is on the default branch. */
export async function requestBaked(
  connection: GithubConnection,
  project: string,
  { stack, warmImage }: BakedFor,
): Promise<WrittenPullRequest> {
  const file = stackFile(stack);
  const title = `Name warm image ${shortDigest(warmImage)} in ${file}`;
  return writePullRequest(connection, {
    project,
    file,
    edit: (content) => withWarmImage(content, stack, warmImage),
    // One a stack: a bake that was not merged gives way to the next.
    branch: `kiln/bake-${stack}`,
    title,
    message: `${title}\n\nIt was baked and verified for ${stack}, which runs it:\n${warmImage}`,
    text: [
      `\`${stack}\` runs this image since it was released. Merging this lets its file say so, which is the truth of a stack:`,
      "until then the next `pulumi up` from the default branch takes it back.",
      "",
      "```text",
      warmImage,
      "```",
    ].join("\n"),
  });
}
