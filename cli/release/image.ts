import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readOutputs } from "../../release/pulumi-stack.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { parsePinnedImage } from "../../registry/image-reference.ts";
import { stackFile } from "../../settings.ts";
import { places } from "../../toolchain/places.ts";
import type { Command } from "../command.ts";
import { noArguments, required } from "../options.ts";
import { pulumiEnvironments } from "./stack-environment.ts";

/** `kiln release image`. */
export const imageCommand: Command = {
  name: "release image",
  summary: "Print the warm image that a stack's file names, or nothing before the first bake; or the one that it runs.",
  usage: "--stack S [--deployed]",
  options: { stack: { type: "string" }, deployed: { type: "boolean" } },
  help: { stack: "the stack", deployed: "the runner image that its last `pulumi up` made, by digest" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const stack = required(values, "stack");
    const { project } = places();
    const { warmImage, source } = await readStackSettings(project, stack);
    if (values.deployed === true) {
      const image = await readDeployed(project, stack, progress);
      return { json: { stack, image }, text: image };
    }
    if (warmImage === undefined) progress.note(`${stackFile(stack)} names no warm image yet`);
    return { json: { stack, warmImage: warmImage ?? null, source }, text: warmImage ?? "" };
  },
};

/** What a stack's output `image` says. Throws where it was never brought up. */
async function readDeployed(project: string, stack: string, progress: Progress): Promise<string> {
  const env = (await pulumiEnvironments([stack], progress))(stack);
  const { image } = await readOutputs({ project, stack, env });
  if (typeof image === "string" && parsePinnedImage(image) !== undefined) return image;
  throw new KilnError("failed", `stack ${stack} has no output image by digest: it runs none yet`, {
    mend: `Bring it up first: \`pulumi up -s ${stack}\`, or \`npx kiln up\` for the local stack.`,
  });
}
