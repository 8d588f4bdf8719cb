import { KilnError, messageOf } from "../errors.ts";
import { git, readOrigin } from "./github/git.ts";

/** Branches of `origin` with their commits. */
type Heads = ReadonlyMap<string, string>;

/** The branches that `origin` has at another commit than this clone says, or that it has and this clone has not. Pure. */
export function unfetchedHeads(origin: Heads, here: Heads): readonly string[] {
  return [...origin].filter(([branch, commit]) => here.get(branch) !== commit).map(([branch]) => branch);
}

/**
 * Throws a usage error unless a clone has every branch of `origin` at the commit where it is now: what was promoted since, it
 * would not know to be in use. One without origin passes where `mayLack` says so.
 */
export async function requireFetched(project: string, { mayLack }: { readonly mayLack: boolean }): Promise<void> {
  if ((await readOrigin(project)) === undefined) {
    if (mayLack) return;
    throw new KilnError(
      "usage",
      `${project} has no remote origin, so nobody knows whether its branches are all of them`,
      {
        mend: "Delete from a clone of the repository that the stacks are deployed from.",
      },
    );
  }
  const behind = unfetchedHeads(await readRemoteHeads(project), await readTrackedHeads(project));
  const [first] = behind;
  if (first === undefined) return;
  const others = behind.length === 1 ? "" : ` and ${behind.length - 1} more`;
  throw new KilnError(
    "usage",
    `${project} is behind origin: it does not have ${first}${others} as of now, nor the images that stack files name there`,
    { mend: `Run \`git fetch --prune origin "+refs/heads/*:refs/remotes/origin/*"\`, then the command again.` },
  );
}

async function readRemoteHeads(project: string): Promise<Heads> {
  try {
    return headsIn(await git(project, ["ls-remote", "--heads", "origin"]), "refs/heads/");
  } catch (error) {
    throw new KilnError("unreachable", `origin does not say which branches it has: ${messageOf(error)}`, {
      mend: "Check the network and the login of Git: `git ls-remote --heads origin` has to work here.",
      cause: error,
    });
  }
}

async function readTrackedHeads(project: string): Promise<Heads> {
  const format = "--format=%(objectname)%09%(refname)";
  return headsIn(await git(project, ["for-each-ref", format, "refs/remotes/origin"]), "refs/remotes/origin/");
}

/** Lines of a commit, a tab and a name below `folder`. */
function headsIn(text: string, folder: string): Heads {
  const pairs = text.split("\n").map((line) => line.split("\t"));
  return new Map(
    pairs.flatMap(([commit = "", name = ""]) => (name.startsWith(folder) ? [[name.slice(folder.length), commit]] : [])),
  );
}
