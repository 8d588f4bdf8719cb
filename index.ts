import { iacRunner, ownJobImages, ownLanguageImages } from "./components/stack/images.ts";
import { mendable } from "./components/stack/mendable.ts";
import { languageRunnerRegistry, releaseWatcher } from "./components/stack/releases.ts";
import { githubAccess, runnersPlan, stackRunners } from "./components/stack/runners.ts";
import { stackSettings } from "./components/stack/settings.ts";
import { recipeOf } from "./settings.ts";
import { toolVersions } from "./toolchain/pins.ts";

const project = import.meta.dirname;

const made = await mendable(async () => {
  const settings = stackSettings();
  const recipe = recipeOf(settings);
  const plan = await runnersPlan(settings);
  const runner = iacRunner(settings, recipe);
  const access = githubAccess(settings);
  return {
    runner,
    runners: stackRunners(settings, plan, access),
    registry: await languageRunnerRegistry(settings, project),
    watcher: await releaseWatcher(settings, project),
    languages: ownLanguageImages(settings),
    jobs: await ownJobImages(settings, project),
  };
});

/** The runner image by digest: what a workflow, a scale set or a person pulls. */
export const image = made.runner.image;
/** The warm image below it: its layers are those that were verified. */
export const warmImage = made.runner.warmImage;
/** Where the offline check of the warm image is recorded, and the command that repeats it. */
export const verification = made.runner.verification;
/** What workflows write after `runs-on:`, by tenant and namespace. */
export const scaleSets = made.runners?.scaleSets;
/** Where language runners are pushed, by language, and the role of the workflow that pushes them. */
export const languageRunners = made.registry && { repositories: made.registry.repositories, role: made.registry.role };
/** The stack's own language runners and images for jobs, by name: each by digest. */
export const { languages: languageImages, jobs: jobImages } = made;
/** What is inside the image. */
export { toolVersions };
