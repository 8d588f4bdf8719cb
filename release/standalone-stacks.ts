import path from "node:path";
import { parse } from "yaml";
import { isMap } from "../cache/document.ts";
import { KilnError } from "../errors.ts";
import type { PinnedImage } from "../registry/image-reference.ts";
import { imageRepository, isRegistry } from "../registry/repository-names.ts";
import type { Root } from "./reachable.ts";
import type { StackHistory } from "./retention-roots.ts";

/** A stack whose runner image is made by a docker build, so that no file names it nor a warm image below it. */
export interface StandaloneStack {
  readonly stack: string;
  /** Where its images are. */
  readonly repository: string;
}

/** An image that somebody says a stack runs. */
export interface RunningImage {
  readonly stack: string;
  readonly image: PinnedImage;
}

/** The standalone stacks of the files as they stand here and at the end of each branch, by their names. Pure. */
export function standaloneStacks({
  here,
  branches,
}: Pick<StackHistory, "here" | "branches">): readonly StandaloneStack[] {
  const tips = branches.filter(({ branch }) => branch !== undefined);
  const found = new Map<string, StandaloneStack>();
  for (const { file, text } of [...here, ...tips]) {
    const repository = standaloneRepository(text ?? "");
    const [, stack] = /^Pulumi\.(.+)\.yaml$/.exec(path.basename(file)) ?? [];
    if (repository !== undefined && stack !== undefined) found.set(`${stack} ${repository}`, { stack, repository });
  }
  return [...found.values()].sort((a, b) => (a.stack < b.stack ? -1 : 1));
}

/** Where the images of a stack's file go, if they are standalone ones. A file that cannot be read says nothing. */
function standaloneRepository(text: string): string | undefined {
  let config: unknown;
  try {
    config = (parse(text) as { readonly config?: unknown } | null)?.config;
  } catch {
    return undefined;
  }
  if (!isMap(config)) return undefined;
  const { "kiln:registry": registry, "kiln:image": image } = config;
  if (typeof registry !== "string" || !isRegistry(registry)) return undefined;
  return isMap(image) && image.dockerfile === "standalone" ? imageRepository(registry) : undefined;
}

/**
 * The images that standalone stacks are said to run, as what must stay. Throws a usage error where a stack's images are to be
 * cleaned up and nobody says which one it runs: it would be taken for unused.
 */
export function runningRoots(
  standalone: readonly StandaloneStack[],
  running: readonly RunningImage[],
  repositories: readonly string[],
): readonly Root[] {
  for (const { stack, repository } of standalone) {
    if (!repositories.includes(repository)) continue;
    if (running.some((one) => one.stack === stack && one.image.repository === repository)) continue;
    throw new KilnError(
      "usage",
      `stack ${stack} is standalone: no file names the image that it runs from ${repository}, which would be deleted`,
      {
        mend:
          `Say which one it is, by --running "${stack}=$(npx kiln release image --stack ${stack} --deployed)", ` +
          `or clean up the warm images alone: --repository ${repository}-warm.`,
      },
    );
  }
  return running.map(({ stack, image }) => ({ ...image, reason: `stack ${stack} runs it` }));
}
