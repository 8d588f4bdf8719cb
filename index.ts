import * as pulumi from "@pulumi/pulumi";
import { ImageRepository } from "./components/image-repository.ts";
import { RunnerImage } from "./components/runner-image.ts";
import { KilnError } from "./errors.ts";
import { parseSettings, recipeOf } from "./settings.ts";
import type { Recipe, Settings } from "./settings.ts";

const { settings, recipe } = readStack();

const repository = new ImageRepository("images", { registry: settings.registry });

const runner = new RunnerImage("iac-runner", {
  repository: repository.url,
  tag: settings.image.tag,
  platform: settings.image.platform,
  recipe,
  buildOnPreview: settings.buildOnPreview,
});

/** The runner image by digest: what a workflow, a scale set or a person pulls. */
export const image = runner.image;
/** The warm image below it: its layers are those that were verified. */
export const warmImage = runner.warmImage;
/** Where the offline check of the warm image is recorded, and the command that repeats it. */
export const verification = runner.verification;
/** What is inside the image. */
export { toolVersions } from "./toolchain/pins.ts";

/** The stack's settings. What a person can mend reaches the terminal as its message alone, without a stack trace. */
function readStack(): { settings: Settings; recipe: Recipe } {
  const namespace = `${pulumi.getProject()}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(namespace));
  const raw = Object.fromEntries(own.map(([key, value]) => [key.slice(namespace.length), value]));
  try {
    const settings = parseSettings(pulumi.getStack(), raw);
    return { settings, recipe: recipeOf(settings) };
  } catch (error) {
    if (!(error instanceof KilnError)) throw error;
    throw new pulumi.RunError([error.message, error.mend].filter(Boolean).join(". "));
  }
}
