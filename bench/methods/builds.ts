import { mkdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import { AGE_DAYS, ageImage } from "../aged-image.ts";
import { buildInContainer, median } from "../containers.ts";
import { pull, removeImage } from "../docker.ts";
import { copyEdited } from "../edit.ts";
import type { StepContext } from "../step.ts";

/** How one program builds in fresh containers of an image. Seconds are the median of three. */
export interface ProgramBuilds {
  readonly directory: string;
  readonly first: number;
  readonly edited: number;
  /** Packages that the unmodified program's first build compiled. */
  readonly compiled: number;
}

/** An image to build in, and how Pulumi builds there. */
export interface BuildPlace {
  /** With this run's registry. */
  readonly image: string;
  readonly flags: readonly string[];
}

const TURNS = 3;

/** Builds each program of the sample in fresh containers: unmodified, and with its main.go edited, three times each. */
export async function measureBuilds(
  context: StepContext,
  { image, flags }: BuildPlace,
): Promise<readonly ProgramBuilds[]> {
  const { engine, selection, work, progress } = context;
  await pull(context, image);
  const scratch = path.join(work, "edited");
  const found: ProgramBuilds[] = [];
  const build = async (root: string, source: string, directory: string, counted: boolean) => {
    const inside = path.posix.join(path.relative(root, source), directory);
    const [built] = await buildInContainer({ engine, image, root, directories: [inside], flags, counted });
    if (built?.error !== undefined) throw new KilnError("failed", `${directory} in ${image}: ${built.error}`);
    return { seconds: built?.seconds ?? 0, compiled: built?.compiled ?? 0 };
  };
  try {
    for (const [index, { directory }] of selection.sample.entries()) {
      progress.update(`building ${directory} in fresh containers`, index, selection.sample.length);
      const { compiled } = await build(selection.root, selection.source, directory, true);
      const [first, edited]: [number[], number[]] = [[], []];
      for (let turn = 1; turn <= TURNS; turn += 1) {
        first.push((await build(selection.root, selection.source, directory, false)).seconds);
        await mkdir(scratch, { recursive: true });
        const source = await copyEdited(selection, scratch, directory, `edit ${turn}`);
        edited.push((await build(scratch, source, directory, false)).seconds);
      }
      found.push({ directory, first: median(first), edited: median(edited), compiled });
    }
    return found;
  } finally {
    await removeFolder(scratch);
  }
}

/** Builds one program once in a fresh container; seconds. */
export async function measureBuild(
  context: StepContext,
  { image, flags }: BuildPlace,
  directory: string,
): Promise<number> {
  const { engine, selection } = context;
  await pull(context, image);
  const inside = path.posix.join(path.relative(selection.root, selection.source), directory);
  const [built] = await buildInContainer({ engine, image, root: selection.root, directories: [inside], flags });
  if (built?.error !== undefined) throw new KilnError("failed", `${directory} in ${image}: ${built.error}`);
  return built?.seconds ?? 0;
}

/** Compile actions of two programs, built one after the other in a fresh container of an image of day 400. */
export interface AgedBuilds {
  readonly days: number;
  /** Under a random user, with a root file system that cannot be written to. */
  readonly readOnly: AgedPair;
  /** As the image's own user, with a root file system that can be written to. */
  readonly writable: AgedPair;
}

export interface AgedPair {
  readonly compiled: readonly number[];
  readonly seconds: readonly number[];
  /** What Go said where a build failed. */
  readonly errors: readonly string[];
}

const AGED = "kiln-bench-aged";
const ANY_USER = "12345:12345";

/** Dates an image back by 400 days and builds two programs in it. */
export async function measureAged(context: StepContext, { image, flags }: BuildPlace): Promise<AgedBuilds> {
  const { engine, selection, progress } = context;
  await pull(context, image);
  progress.update(`dating ${image} back by ${AGE_DAYS} days`, 0, 3);
  const root = path.relative(selection.root, selection.source);
  const directories = selection.sample.slice(0, 2).map(({ directory }) => path.posix.join(root, directory));
  const pair = async (container: readonly string[]): Promise<AgedPair> => {
    const builds = await buildInContainer({
      ...{ engine, image: AGED, root: selection.root, directories, flags },
      ...{ counted: true, container },
    });
    return {
      compiled: builds.map(({ compiled }) => compiled),
      seconds: builds.map(({ seconds }) => seconds),
      errors: builds.flatMap(({ error }) => error ?? []),
    };
  };
  try {
    await ageImage(context, image, AGED);
    progress.update("building two programs under a read-only root", 1, 3);
    const readOnly = await pair(["--read-only", "--tmpfs", "/tmp", "--user", ANY_USER]);
    progress.update("building two programs under a writable root", 2, 3);
    return { days: AGE_DAYS, readOnly, writable: await pair([]) };
  } finally {
    await removeImage(context, AGED);
  }
}
