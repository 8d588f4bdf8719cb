import { askForAll, askGithub, askIfThere } from "../github/client.ts";
import type { GithubConnection } from "../github/connection.ts";
import { GithubRefusal } from "../github/refusal.ts";
import { KilnError } from "../../errors.ts";
import { runnerTagOf } from "../runner-tag.ts";
import type { TagRepository } from "./tag-repository.ts";

interface Reference {
  readonly ref: string;
  readonly object: { readonly sha: string; readonly type: string };
}

interface TagObject {
  readonly sha: string;
  readonly object: { readonly sha: string };
  readonly tagger?: { readonly date?: string };
  readonly message?: string;
}

const NEEDS = "contents: write";
/** What release tags begin with (runner-tag.ts): GitHub lists references by their beginning. */
const BEGINNINGS = ["dev-v", "latest-v", "v"] as const;

/** The tags of a repository on GitHub, by its API: no checkout is needed. */
export function githubTags(connection: GithubConnection): TagRepository {
  const root = `/repos/${connection.repository}/git`;
  const reference = (name: string) =>
    askIfThere<Reference>(connection, { path: `${root}/ref/tags/${name}`, needs: "contents: read" });
  const tagObject = (sha: string) =>
    askGithub<TagObject>(connection, { path: `${root}/tags/${sha}`, needs: "contents: read" });

  return {
    name: connection.repository,
    async readTags() {
      const found: string[] = [];
      for (const beginning of BEGINNINGS) {
        const path = `${root}/matching-refs/tags/${beginning}`;
        for (const one of await askForAll<Reference>(connection, { path, needs: "contents: read" })) {
          found.push(one.ref.replace("refs/tags/", ""));
        }
      }
      return found.filter((name) => runnerTagOf(name) !== undefined);
    },
    async readTag(name) {
      const found = await reference(name);
      if (found === undefined) {
        throw new KilnError("unreachable", `${connection.repository} has no tag ${name} any more`, {
          mend: "The next run looks again.",
        });
      }
      const object = found.object.sha;
      if (found.object.type !== "tag") return { name, object, commit: object, made: undefined, message: "" };
      const { object: target, tagger, message = "" } = await tagObject(object);
      const made = Date.parse(tagger?.date ?? "");
      return { name, object, commit: target.sha, made: Number.isNaN(made) ? undefined : made, message };
    },
    async readHead(branch) {
      const path = `${root}/ref/heads/${branch}`;
      const head = await askIfThere<Reference>(connection, { path, needs: "contents: read" });
      if (head !== undefined) return head.object.sha;
      throw new KilnError("usage", `${connection.repository} has no branch ${branch}, or the token may not see it`, {
        mend: "Name the branch that is released from in the watcher's file: branch: main.",
      });
    },
    async push({ name, commit, message }) {
      const tag = { tag: name, message, object: commit, type: "commit" };
      const write = { method: "POST", needs: NEEDS } as const;
      const made = await askGithub<TagObject>(connection, { ...write, path: `${root}/tags`, body: tag });
      try {
        const body = { ref: `refs/tags/${name}`, sha: made.sha };
        await askGithub(connection, { ...write, path: `${root}/refs`, body });
        return "pushed";
      } catch (error) {
        // GitHub answers 422 for a reference that exists, and for others that it does not take.
        if (!(error instanceof GithubRefusal) || error.status !== 422) throw error;
        if ((await reference(name)) !== undefined) return "there";
        throw error;
      }
    },
    async remove({ name, object }) {
      // GitHub deletes by name alone: somebody who pushed it anew in this instant pushed the same release.
      const before = await reference(name);
      if (before?.object.sha !== object) return before === undefined ? "gone" : "changed";
      try {
        await askGithub(connection, { method: "DELETE", needs: NEEDS, path: `${root}/refs/tags/${name}` });
        return "removed";
      } catch (error) {
        const isUnclear = error instanceof GithubRefusal && (error.status >= 500 || [404, 422].includes(error.status));
        if (!isUnclear) throw error;
        // Of a request that was repeated the first one may have done it, and its answer was lost.
        const now = await reference(name);
        if (now?.object.sha === object) throw error;
        return now === undefined ? "gone" : "changed";
      }
    },
  };
}
