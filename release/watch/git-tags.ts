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

/** Objects alone are fetched, under no name: two looks at once would wait for each other's locks of names. */
const FETCH = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="] as const;

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
  const readReferences = async (...patterns: readonly string[]) =>
    remoteReferences(await reached("ls-remote", remote, ...patterns));
  /** What a reference leads to, with its objects fetched. */
  const fetched = async (reference: string, missing: KilnError) => {
    const references = await readReferences(reference, `${reference}^{}`);
    const object = references.get(reference);
    if (object === undefined) throw missing;
    await reached(...FETCH, remote, reference);
    return { object, commit: references.get(`${reference}^{}`) ?? object };
  };
  const pushed = (...args: readonly string[]) => git(checkout, ["push", "--quiet", ...args], { env });

  return {
    name: remote,
    async readTags() {
      return remoteTags(await reached("ls-remote", "--tags", remote));
    },
    async readTag(name) {
      const gone = new KilnError("unreachable", `${remote} has no tag ${name} any more`, {
        mend: "The next run looks again.",
      });
      const { object, commit } = await fetched(`refs/tags/${name}`, gone);
      const about = { name, object, commit };
      if (object === commit) return { ...about, made: undefined, message: "" };
      return { ...about, ...tagObject(await git(checkout, ["cat-file", "tag", object])) };
    },
    async readHead(branch) {
      const none = new KilnError("usage", `${remote} has no branch ${branch}`, {
        mend: "Name the branch that is released from in the watcher's file: branch: main.",
      });
      return (await fetched(`refs/heads/${branch}`, none)).commit;
    },
    async push({ name, commit, message }) {
      const time = `${Math.floor(now() / 1000)} +0000`;
      const who = `${author.name} <${author.email}>`;
      const text = `object ${commit}\ntype commit\ntag ${name}\ntagger ${who} ${time}\n\n${message}\n`;
      // An object without a name: a tag of the checkout that is called so stays what it is.
      const made = (await git(checkout, ["mktag"], { input: text })).trim();
      const reference = `refs/tags/${name}`;
      try {
        // Without force, and by a lease on nothing: Git refuses where the tag is there.
        await pushed(`--force-with-lease=${reference}:`, remote, `${made}:${reference}`);
        return "pushed";
      } catch (error) {
        if ((await readReferences(reference)).has(reference)) return "there";
        throw error;
      }
    },
    async remove({ name, object }) {
      const reference = `refs/tags/${name}`;
      try {
        await pushed(`--force-with-lease=${reference}:${object}`, remote, `:${reference}`);
        return "removed";
      } catch (error) {
        const now = (await readReferences(reference)).get(reference);
        if (now === undefined) return "gone";
        if (now !== object) return "changed";
        throw error;
      }
    },
  };
}

/** The release tags in what `git ls-remote --tags` prints: an annotated one has a second line, for the commit behind it. */
export function remoteTags(text: string): readonly string[] {
  const names = [...remoteReferences(text).keys()].map((name) =>
    name.replace(/^refs\/tags\//, "").replace(/\^\{\}$/, ""),
  );
  return [...new Set(names)].filter((name) => runnerTagOf(name) !== undefined);
}

/** What `git ls-remote` prints: by name what it leads to; `refs/tags/v1.0.0^{}` is the commit behind an annotated tag. */
function remoteReferences(text: string): ReadonlyMap<string, string> {
  const found = text.split("\n").flatMap((line) => {
    const [, object = "", name = ""] = /^([0-9a-f]{40,64})\t(\S+)$/.exec(line) ?? [];
    return name === "" ? [] : [[name, object] as const];
  });
  return new Map(found);
}

/** When a tag object was made, and its message. */
function tagObject(text: string): { readonly made: number | undefined; readonly message: string } {
  const end = text.indexOf("\n\n");
  const [, seconds] = /^tagger .* (\d+) [+-]\d{4}$/m.exec(text.slice(0, end)) ?? [];
  return { made: seconds === undefined ? undefined : Number(seconds) * 1000, message: text.slice(end + 2).trim() };
}
