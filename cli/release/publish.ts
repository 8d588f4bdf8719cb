import { KilnError } from "../../errors.ts";
import { parsePinnedImage, type PinnedImage } from "../../registry/image-reference.ts";
import { publishRelease, type Published } from "../../release/publish.ts";
import { readSealDemands } from "../../release/supply/stack-seals.ts";
import { parseReleaseTag } from "../../release/tags.ts";
import { readTagCommit } from "../../release/workflow/repository.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import type { Command } from "../command.ts";
import { noArguments, repeated, required } from "../options.ts";
import { notaryHere } from "./notary.ts";

/** `kiln release publish`. */
export const publishCommand: Command = {
  name: "release publish",
  summary: "Give a verified IaC runner image the tags of a release: its version, and latest where it is the highest.",
  usage: "--tag iac-runner-base-vX.Y.Z --image REPOSITORY@DIGEST…",
  options: { tag: { type: "string" }, image: { type: "string", multiple: true } },
  help: {
    tag: "the Git tag of the release, in this checkout; of its commit the sealed images have to be",
    image:
      "the runner image, as `pulumi stack output image` prints it, or an index; several, one a platform, become one",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const release = parseReleaseTag(required(values, "tag"));
    const images = repeated(values, "image").map(pinned);
    const here = places();
    const demands = await readSealDemands(here.project, images[0]?.repository ?? "");
    if (demands.length === 0) progress.note("no stack of this repository asks for signatures (kiln:signatures)");
    const { path: regctl } = await resolveTool("regctl", { places: here, progress });
    const notary = notaryHere(here, progress);
    const readCommit = () => readTagCommit(here.project, release.tag);
    const published = await publishRelease({
      ...{ client: { regctl }, release, images, demands, readCommit, notary, progress },
    });
    return { json: published, text: publishedText(published) };
  },
};

function pinned(text: string): PinnedImage {
  const image = parsePinnedImage(text);
  if (image !== undefined) return image;
  throw new KilnError("usage", `--image ${text} is no image by digest`, { mend: "Write repository@sha256:…" });
}

function publishedText({ repository, digest, imageTags, platforms, unchanged }: Published): string {
  const rows = imageTags.map((tag) => `${repository}:${tag}`);
  return [...rows, `${unchanged ? "were" : "are"} ${digest} (${platforms.join(", ")})`].join("\n");
}
