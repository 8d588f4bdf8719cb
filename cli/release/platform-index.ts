import { formatReference } from "../../registry/image-reference.ts";
import { joinSealed } from "../../release/platform-index.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { readSealDemands, type SealDemand } from "../../release/supply/stack-seals.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { noArguments, optional, repeated } from "../options.ts";
import { notaryHere } from "./notary.ts";
import { imagesOf } from "./seal.ts";

/** `kiln release index`. */
export const platformIndexCommand: Command = {
  name: "release index",
  summary: "Join verified IaC runner images, one a platform, to an index by digest, and print it. It gets no tag.",
  usage: "--image REPOSITORY@DIGEST… [--stack S]",
  options: { image: { type: "string", multiple: true }, stack: { type: "string" } },
  help: {
    image:
      "a runner image, as `pulumi stack output image` prints it (may be repeated, once a platform); one alone is printed as it is",
    stack:
      "who seals the index: its images have the seal that this stack demands, as they have that of every stack of the repository",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const images = imagesOf(repeated(values, "image"));
    const here = places();
    const demands = [
      ...(await readSealDemands(here.project, images[0]?.repository ?? "")),
      ...(await ownDemand(here.project, optional(values, "stack"))),
    ];
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const joined = await joinSealed({ client: { regctl }, images, demands, notary: notaryHere(here, progress) });
    const index = formatReference({ repository: joined.repository, digest: joined.digest });
    for (const { image, platform } of joined.images) progress.note(`${platform}  ${formatReference(image)}`);
    const platforms = joined.images.map(({ image, platform }) => ({ platform, image: formatReference(image) }));
    return { json: { index, platforms }, text: index };
  },
};

/** What a stack demands wherever an image is: a signer goes by the stack, and not by the repository that somebody named. */
async function ownDemand(project: string, stack: string | undefined): Promise<readonly SealDemand[]> {
  if (stack === undefined) return [];
  const { signatures: policy } = await readStackSettings(project, stack);
  return policy === undefined ? [] : [{ stack, policy }];
}
