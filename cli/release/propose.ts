import { KilnError } from "../../errors.ts";
import { parsePinnedImage } from "../../registry/image-reference.ts";
import { requestBaked } from "../../release/bake-request.ts";
import { githubConnection } from "../../release/github/connection.ts";
import { readOrigin } from "../../release/github/git.ts";
import { places } from "../../toolchain/places.ts";
import type { Command } from "../command.ts";
import { noArguments, required } from "../options.ts";
import { requestText } from "./promotion-request.ts";

/** `kiln release propose`. */
export const proposeCommand: Command = {
  name: "release propose",
  summary: "Open or update the pull request by which a stack's file names the image that was baked for it.",
  usage: "--stack S --image REPOSITORY@DIGEST",
  options: { stack: { type: "string" }, image: { type: "string" } },
  help: { stack: "the stack", image: "the warm image, as `kiln release image` prints it" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const [stack, warmImage] = [required(values, "stack"), required(values, "image")];
    if (parsePinnedImage(warmImage) === undefined) {
      throw new KilnError("usage", `--image ${warmImage} is no image by digest`, { mend: "Write repository@sha256:…" });
    }
    const { project } = places();
    const connection = githubConnection(process.env, await readOrigin(project));
    progress.step(`asking for ${warmImage} in a pull request`);
    const pullRequest = await requestBaked(connection, project, { stack, warmImage });
    return { json: { stack, warmImage, pullRequest }, text: requestText(pullRequest, stack) };
  },
};
