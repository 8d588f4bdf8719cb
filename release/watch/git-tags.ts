import { KilnError, messageOf } from "../../errors.ts";
import { git } from "../github/git.ts";
import { runnerTagOf } from "../runner-tag.ts";
import type { TagRepository } from "./tag-repository.ts";

export interface GitTagsOptions {
  /** A checkout, which lends its objects and settings: no branch, tag or file of it changes. */
  readonly checkout: string;
  readonly remote: string;
  /** The login for the remote, where its address needs one; the checkout's own otherwise. */
  readonly env: NodeJS.ProcessEnv;
  /** Who makes tags. */
  readonly author: { readonly name: string; readonly email: string };
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is fetched stays below this, out of the way of the checkout's own names. */
const OWN = "refs/kiln/watch";

/** The tags of a remote, by Git. */
export function gitTags({ checkout, remote, env, author, now }: GitTagsOptions): TagRepository {
  const reached = async (...args: readonly string[]) => {
    try {
      return await git(checkout, args, { env });
    } catch (error) {
      throw new KilnError("unreachable", `${remote} cannot be reached: ${messageOf(error)}`, {
        mend: `\`git ls-remote --tags ${remote}\` has to work in ${checkout}.`,
        cause: error,
      });
    }
  };
  const fetched = async (reference: string) => {
    await reached(
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-write-fetch-head",
      remote,
      `+${reference}:${OWN}/${reference}`,
    );
    return `${OWN}/${reference}`;
  };
  const fetchedCommit = async (reference: string) => {
    const own = await fetched(reference);
    return (await git(checkout, ["rev-parse", "--verify", `${own}^{commit}`])).trim();
  };
  return {
    name: remote,
    async readTags() {
      return remoteTags(await reached("ls-remote", "--tags", remote));
    },
    async readTime(tag) {
      const own = await fetched(`refs/tags/${tag}`);
      const format = "--format=%(taggerdate:unix)";
      const text = (await git(checkout, ["for-each-ref", format, own])).trim();
      return /^\d+$/.test(text) ? Number(text) * 1000 : undefined;
    },
    readCommit: (tag) => fetchedCommit(`refs/tags/${tag}`),
    readHead: (branch) => fetchedCommit(`refs/heads/${branch}`),
    async push({ name, commit, message }) {
      const time = `${Math.floor(now() / 1000)} +0000`;
      const who = `${author.name} <${author.email}>`;
      const text = `object ${commit}\ntype commit\ntag ${name}\ntagger ${who} ${time}\n\n${message}\n`;
      // An object without a name: a tag of the checkout that is called so stays what it is.
      const made = (await git(checkout, ["mktag"], { input: text })).trim();
      const reference = `refs/tags/${name}`;
      try {
        // Without force, and by a lease on nothing: Git refuses where the tag is there.
        await git(checkout, ["push", "--quiet", `--force-with-lease=${reference}:`, remote, `${made}:${reference}`], {
          env,
        });
        return "pushed";
      } catch (error) {
        if (remoteTags(await reached("ls-remote", "--tags", remote)).includes(name)) return "there";
        throw error;
      }
    },
  };
}

/** The release tags in what `git ls-remote --tags` prints: an annotated one has a second line, for the commit behind it. */
export function remoteTags(text: string): readonly string[] {
  const names = text
    .split("\n")
    .flatMap((line) => /^[0-9a-f]{40,64}\trefs\/tags\/(.*?)(?:\^\{\})?$/.exec(line)?.[1] ?? []);
  return [...new Set(names)].filter((name) => runnerTagOf(name) !== undefined);
}
