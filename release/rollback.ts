import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { RegistryClient } from "../registry/client.ts";
import { parsePinnedImage } from "../registry/image-reference.ts";
import { stackFile } from "../settings.ts";
import { readFileAt, readFileVersions, readIsUncommitted } from "./git-history.ts";
import { namedImages, shortCommit, warmImageIn, type NamedImage } from "./history.ts";
import { readStackSettings, writeWarmImage } from "./stack-file.ts";
import { readVerifiableImage, requirePlatform, requireRecord } from "./verified-image.ts";

export interface RollbackOptions {
  readonly client: RegistryClient;
  /** The checkout whose stack file is read and written. */
  readonly project: string;
  readonly stack: string;
  /** A commit, or a digest that the stack had (`sha256:…`, at least 12 digits of it); the image before when absent. */
  readonly to?: string | undefined;
  readonly dryRun: boolean;
  readonly progress: Progress;
}

/** What a rollback did, or with `dryRun` would do. */
export interface Rollback {
  readonly stack: string;
  /** What the file says now, and what it said before. */
  readonly warmImage: string;
  readonly before: string | undefined;
  /** Where the history has the image. */
  readonly from: Pick<NamedImage, "commit" | "since" | "subject">;
  /** Digest of the record that the image passed, and how many programs it is of. */
  readonly record: string;
  readonly programs: number;
  readonly dryRun: boolean;
  readonly unchanged: boolean;
}

/**
 * Writes a warm image that a stack had into its file again, once the registry is seen to have it with a valid record. Throws
 * where there was none, where it is gone, and where the file has changes that a rollback would mix with.
 */
export async function rollback(options: RollbackOptions): Promise<Rollback> {
  const { client, project, stack, dryRun, progress } = options;
  const file = stackFile(stack);
  const settings = await readStackSettings(project, stack);
  if (await readIsUncommitted(project, file)) {
    throw new KilnError("usage", `${file} has changes that are not committed`, {
      mend: `Commit them, or drop them with \`git checkout -- ${file}\`: a rollback is one commit that says only that.`,
    });
  }
  const history = namedImages(await readFileVersions(project, file));
  const found = await soughtImage(options, history, settings.warmImage);
  const image = parsePinnedImage(found.warmImage);
  if (image === undefined) {
    throw new KilnError(
      "usage",
      `${file} at ${shortCommit(found.commit)} names "${found.warmImage}", which is no digest`,
      {
        mend: `Choose another that \`npx kiln release history --stack ${stack}\` lists.`,
      },
    );
  }
  progress.step(`checking ${found.warmImage}`);
  requirePlatform(
    await readVerifiableImage(client, settings, image, `${file} at ${shortCommit(found.commit)}`),
    settings,
  );
  const { record, digest } = await requireRecord(client, settings, image);
  if (!dryRun) await writeWarmImage(project, stack, found.warmImage);
  const { commit, since, subject } = found;
  return {
    ...{ stack, warmImage: found.warmImage, before: settings.warmImage, from: { commit, since, subject } },
    ...{ record: digest, programs: record.programs.length, dryRun, unchanged: found.warmImage === settings.warmImage },
  };
}

const DIGEST = /^(?:.+@)?(sha256:[0-9a-f]{12,64})$/;

/** The image to go back to: the one before the present, the one of a commit, or one by its digest. */
async function soughtImage(
  { project, stack, to }: RollbackOptions,
  history: readonly NamedImage[],
  present: string | undefined,
): Promise<Pick<NamedImage, "warmImage" | "commit" | "since" | "subject">> {
  const file = stackFile(stack);
  const list = { mend: `\`npx kiln release history --stack ${stack}\` lists what it had.` };
  if (to === undefined) {
    const before = history.find(({ warmImage }) => warmImage !== present);
    if (before !== undefined) return before;
    throw new KilnError("usage", `${file} has had no other warm image: there is nothing to go back to`, list);
  }
  const [, digest] = DIGEST.exec(to) ?? [];
  if (digest !== undefined) {
    const having = history.filter(({ warmImage }) => warmImage.includes(`@${digest}`));
    const [one] = having;
    if (one === undefined) throw new KilnError("usage", `${file} has never named ${digest}`, list);
    if (having.every(({ warmImage }) => warmImage === one.warmImage)) return one;
    throw new KilnError("usage", `${file} has named more than one image that begins with ${digest}`, list);
  }
  const { text, commit, committed, subject } = await readFileAt(project, to, file);
  const warmImage = warmImageIn(text);
  if (warmImage !== undefined) return { warmImage, commit, since: committed, subject };
  throw new KilnError("usage", `${file} names no warm image at ${to}`, list);
}
