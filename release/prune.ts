import type { Progress } from "../progress.ts";
import type { RegistryClient } from "../registry/client.ts";
import { registryHost } from "../registry/image-reference.ts";
import { runnerRepositoryOf, warmRepositoryOf } from "../registry/repository-names.ts";
import { readStoredManifest, type StoredManifest } from "../registry/stored-manifest.ts";
import type { ImageRemover } from "./image-remover.ts";
import { readInventory } from "./inventory.ts";
import type { Root } from "./reachable.ts";
import { NOTE_TAG } from "./registry-tag.ts";
import { carryOut, reasonOf, type Failure } from "./removals.ts";
import { readRunnerBases } from "./runner-bases.ts";
import { retentionPlan, type Named, type Removal, type RetentionPlan } from "./retention.ts";
import { readUnusedSince, unusedSince, writeUnusedSince, type UnusedSince } from "./unused-since.ts";

export interface PruneOptions {
  readonly client: RegistryClient;
  readonly repositories: readonly string[];
  readonly roots: readonly Root[];
  /** Names of stacks, which are tags of their images. */
  readonly stacks?: ReadonlySet<string>;
  readonly removerOf: (repository: string) => ImageRemover;
  /** Milliseconds since 1970, and of what is too young to go. */
  readonly now: number;
  readonly graceMs: number;
  /** Say what would go, and change nothing. */
  readonly dryRun: boolean;
  readonly progress: Progress;
}

/** What a clean-up found and did. On a dry run `removed` is empty. */
export interface Prune extends Omit<RetentionPlan, "unused" | "expired"> {
  readonly repositories: readonly string[];
  /**
   * Repositories that were left alone, because no image is there that a stack's file names, or that theirs are built from: they
   * are not this project's, or what of them is in use cannot be known.
   */
  readonly skipped: readonly string[];
  readonly dryRun: boolean;
  readonly removed: readonly Removal[];
  readonly failed: readonly Failure[];
}

/**
 * Cleans up repositories by reachability: reads what is there, plans, and unless it is a dry run deletes, deepest first. Goes on
 * after a failure, and leaves what holds something that could not be deleted.
 */
export async function prune(asked: PruneOptions): Promise<Prune> {
  const named = asked.repositories.filter((repository) => isNamed(repository, asked.roots));
  const options = { ...asked, repositories: named };
  const { roots, stacks = new Set(), removerOf, now, graceMs, dryRun, progress } = options;
  const known = new Map<string, Known>();
  for (const repository of named) {
    progress.step(`reading ${repository}`);
    known.set(repository, await readKnown(options, repository));
  }
  const manifests = [...[...known.values()].flatMap((one) => one.manifests), ...(await readElsewhere(options))];
  const bases = await readRunnerBases(asked.client, manifests);
  const repositories = named.filter((repository) => isKnowable(repository, roots, manifests));
  const skipped = asked.repositories.filter((repository) => !repositories.includes(repository));
  for (const repository of skipped) known.delete(repository);
  const { unused, expired, ...plan } = retentionPlan({
    ...{ roots, stacks, bases, repositories, now, graceMs, manifests },
    since: ({ repository, digest }) => {
      const { pushed, unused } = known.get(repository) ?? {};
      return pushed?.get(digest) ?? unused?.get(digest);
    },
  });
  const common = { repositories, skipped, dryRun, ...plan };
  if (dryRun) return { ...common, removed: [], failed: [] };

  if (plan.remove.length > 0) progress.step(`deleting ${plan.remove.length} manifests`);
  const tagsOf = (repository: string) => known.get(repository)?.tags ?? new Set<string>();
  const { removed, failed } = await carryOut(plan.remove, { removerOf, tagsOf, progress });
  const gone = new Set(removed.map(({ repository, digest }) => `${repository}@${digest}`));
  const left = unused.filter(({ repository, digest }) => !gone.has(`${repository}@${digest}`));
  const unwritten = await noteUnused(options, known, left);
  for (const { repository, tag } of expired) {
    const reason = await reasonOf(() => removerOf(repository).untag(repository, tag));
    if (reason !== undefined) unwritten.push({ what: `${repository}:${tag}`, reason });
  }
  return { ...common, removed, failed: [...failed, ...unwritten] };
}

/** Notes since when what is left is seen unused, where a registry tells no dates and the note does not say so already. */
async function noteUnused(
  { client, now }: PruneOptions,
  known: ReadonlyMap<string, Known>,
  left: readonly Named[],
): Promise<Failure[]> {
  const failed: Failure[] = [];
  for (const [repository, { pushed, unused: before }] of known) {
    if (pushed.size > 0) continue;
    const digests = left.filter((one) => one.repository === repository).map(({ digest }) => digest);
    const since = unusedSince(before, digests, now);
    if (isSame(before, since)) continue;
    const reason = await reasonOf(() => writeUnusedSince(client, repository, since));
    if (reason !== undefined) failed.push({ what: `${repository}:${NOTE_TAG}`, reason });
  }
  return failed;
}

/** What is known of one repository before anything is planned. */
interface Known {
  readonly manifests: readonly StoredManifest[];
  readonly tags: ReadonlySet<string>;
  readonly pushed: ReadonlyMap<string, number>;
  readonly unused: UnusedSince;
}

async function readKnown({ client, roots, removerOf }: PruneOptions, repository: string): Promise<Known> {
  const pushed = await removerOf(repository).readVersions(repository);
  if (pushed === undefined) return { manifests: [], tags: new Set(), pushed: new Map(), unused: new Map() };
  const named = roots.map(({ digest }) => digest);
  const manifests = await readInventory(client, repository, [...new Set([...pushed.keys(), ...named])]);
  return {
    ...{ manifests, pushed, tags: new Set(manifests.flatMap(({ tags }) => tags)) },
    unused: pushed.size > 0 ? new Map() : await readUnusedSince(client, repository),
  };
}

/**
 * What of other repositories of the same registries keeps something here: images that are named, as a runner image that was built from
 * one is known by its layers, and the runner images of warm ones, by whatever tag they stay. A registry that lost one has nothing to
 * tell.
 */
async function readElsewhere({
  client,
  roots,
  repositories,
  progress,
}: PruneOptions): Promise<readonly StoredManifest[]> {
  const hosts = new Set(repositories.map(registryHost));
  const found: StoredManifest[] = [];
  for (const repository of new Set(repositories.flatMap((one) => runnerRepositoryOf(one) ?? []))) {
    if (repositories.includes(repository)) continue;
    progress.step(`reading ${repository}`);
    found.push(...(await readInventory(client, repository)));
  }
  for (const { repository, digest } of roots) {
    if (repositories.includes(repository) || !hosts.has(registryHost(repository))) continue;
    const manifest = await readStoredManifest(client, { repository, digest });
    if (manifest !== undefined) found.push(manifest);
    for (const child of manifest?.children ?? []) {
      const part = await readStoredManifest(client, { repository, digest: child });
      if (part !== undefined) found.push(part);
    }
  }
  return found;
}

/**
 * Whether a project's stacks name an image of a repository, or of the warm images that its images are built from. In the wrong
 * checkout nothing would be named, and everything would go.
 */
function isNamed(repository: string, roots: readonly Root[]): boolean {
  return roots.some((root) => root.repository === repository || root.repository === warmRepositoryOf(repository));
}

/**
 * Whether images of a repository can be told from each other. Those of runners are known by the layers of the warm images that are
 * named: where none of these can be read, as in a package that is gone or not shown, all would be taken for unused.
 */
function isKnowable(repository: string, roots: readonly Root[], manifests: readonly StoredManifest[]): boolean {
  const below = roots.filter((root) => root.repository === warmRepositoryOf(repository));
  const there = new Set(manifests.map((one) => `${one.repository}@${one.digest}`));
  return below.length === 0 || below.some((root) => there.has(`${root.repository}@${root.digest}`));
}

function isSame(before: UnusedSince, after: UnusedSince): boolean {
  return before.size === after.size && [...after].every(([digest, at]) => before.get(digest) === at);
}
