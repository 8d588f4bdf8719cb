import { KilnError } from "../errors.ts";
import { readDigest, readTags, regctl, type RegistryClient } from "../registry/client.ts";
import { deleteManifest } from "../registry/delete-manifest.ts";
import { formatReference } from "../registry/image-reference.ts";
import { shortDigest } from "./reachable.ts";
import type { Named } from "./retention.ts";

/** How manifests are taken out of one kind of registry. */
export interface ImageRemover {
  /**
   * Every manifest that a repository has, with the time of its push; none where the registry does not tell, and nothing where it
   * says that there is no such repository.
   */
  readVersions(repository: string): Promise<ReadonlyMap<string, number> | undefined>;
  /** Takes a tag from a manifest that stays, where the registry can. */
  untag(repository: string, tag: string): Promise<void>;
  /**
   * Throws a difference where a manifest has a tag that it had not when the plan was made, or lost one to another; `known` are all
   * tags that the repository had then. One that is gone is no difference.
   */
  requireUnchanged(manifest: Named, known: ReadonlySet<string>): Promise<void>;
  /** Deletes a manifest and its tags, unless it is gone. */
  remove(manifest: Named): Promise<void>;
}

/** The remover of registries that delete by digest, as OCI distribution has it. They tell neither dates nor what has no tag. */
export function registryRemover(client: RegistryClient): ImageRemover {
  return {
    readVersions: () => Promise.resolve(new Map()),
    async untag(repository, tag) {
      const reference = formatReference({ repository, tag });
      await regctl(client, repository, ["tag", "delete", "--ignore-missing", reference]);
    },
    async requireUnchanged({ repository, digest, tags }, known) {
      // A tag that is new, its own, or the one that moves by its nature. What kiln names by content points nowhere else.
      const suspects = (await readTags(client, repository, ".*")).filter(
        (tag) => !known.has(tag) || tags.includes(tag) || tag === "latest",
      );
      for (const tag of suspects) {
        const found = await readDigest(client, { repository, tag });
        const planned = tags.includes(tag);
        if (!planned && found === digest) throw taggedSince({ repository, digest }, tag);
        if (planned && found !== undefined && found !== digest) {
          throw new KilnError("difference", `${repository}:${tag} has moved to ${found} since the plan was made`, {
            mend: RUN_AGAIN,
          });
        }
      }
    },
    remove: ({ repository, digest, tags }) => deleteManifest(client, { repository, digest }, tags),
  };
}

const RUN_AGAIN = "Run the command again: it makes a new plan. A bake or a promotion may be under way.";

/** That somebody gave an image a tag after the plan was made: it is no longer known to be unused. */
export function taggedSince({ repository, digest }: Omit<Named, "tags">, tag: string): KilnError {
  return new KilnError(
    "difference",
    `${repository}@${shortDigest(digest)} got the tag ${tag} since the plan was made`,
    {
      mend: RUN_AGAIN,
    },
  );
}
