import { KilnError } from "../../errors.ts";
import { packageName } from "../../runners/github/manual-steps.ts";
import { taggedSince, type ImageRemover } from "../image-remover.ts";
import { askForAll, askGithub, askIfThere } from "./client.ts";
import type { GithubConnection } from "./connection.ts";
import { GithubRefusal } from "./refusal.ts";

/** A manifest in GHCR, as the packages API of GitHub tells of it. */
interface PackageVersion {
  readonly id: number;
  /** Its digest. */
  readonly name: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly metadata?: { readonly container?: { readonly tags?: readonly string[] } };
}

const READ = "packages: read";
const WRITE = "packages: write";

/**
 * The remover of ghcr.io, which deletes nothing by the registry's API: a version of the package is a manifest with all its tags
 * (docs.github.com, REST API endpoints for packages). The token needs `packages: write`, and the role Admin of the package.
 */
export function packageRemover(connection: GithubConnection): ImageRemover {
  const ids = new Map<string, number>();
  const scopes = new Map<string, Promise<string>>();
  const pathOf = async (repository: string): Promise<string> => {
    const owner = ownerOf(repository);
    const scope = scopes.get(owner) ?? readScope(connection, owner);
    scopes.set(owner, scope);
    const name = packageName(repository, owner) ?? "";
    return `${await scope}/packages/container/${encodeURIComponent(name)}/versions`;
  };
  const versionPath = async (repository: string, digest: string): Promise<string | undefined> => {
    const id = ids.get(`${repository}@${digest}`);
    return id === undefined ? undefined : `${await pathOf(repository)}/${id}`;
  };
  return {
    async readVersions(repository) {
      const versions = await readPackage(connection, await pathOf(repository));
      if (versions === undefined) return undefined;
      for (const { id, name } of versions) ids.set(`${repository}@${name}`, id);
      return new Map(versions.map((version) => [version.name, pushedAt(version)]));
    },
    // A version goes with all its tags, or not at all.
    untag: () => Promise.resolve(),
    async requireUnchanged({ repository, digest, tags }) {
      const path = await versionPath(repository, digest);
      const found = path === undefined ? path : await askIfThere<PackageVersion>(connection, { path, needs: READ });
      if (found === undefined) return;
      const more = found.metadata?.container?.tags?.find((tag) => !tags.includes(tag));
      if (more !== undefined) throw taggedSince({ repository, digest }, more);
      if (found.name !== digest) {
        throw new KilnError("difference", `${path} is ${found.name} by now, and was ${digest}`);
      }
    },
    async remove({ repository, digest }) {
      const path = await versionPath(repository, digest);
      if (path === undefined) return;
      if ((await askIfThere(connection, { path, needs: READ })) === undefined) return;
      // It was there a moment ago: a 404 now says that this token may not delete it.
      await askGithub(connection, { path, method: "DELETE", needs: WRITE });
    },
  };
}

/** The versions of a package; nothing where the owner, whom GitHub knows, has no such package that this token may see. */
async function readPackage(connection: GithubConnection, path: string): Promise<readonly PackageVersion[] | undefined> {
  try {
    return await askForAll<PackageVersion>(connection, { path, needs: READ });
  } catch (error) {
    if (error instanceof GithubRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/** A version whose tags moved is as young as that: somebody has just used it. */
function pushedAt({ created_at: created, updated_at: updated }: PackageVersion): number {
  return Math.max(Date.parse(created), Date.parse(updated));
}

function ownerOf(repository: string): string {
  const [host, owner, ...rest] = repository.split("/");
  if (host === "ghcr.io" && owner !== undefined && rest.length > 0) return owner;
  throw new KilnError("usage", `${repository} is no repository of ghcr.io`, {
    mend: "Name one such as ghcr.io/<owner>/<repository>/base-images/iac-runner-warm.",
  });
}

/** GitHub has the packages of organizations and of people at different addresses. */
async function readScope(connection: GithubConnection, owner: string): Promise<string> {
  const { type } = await askGithub<{ readonly type?: string }>(connection, { path: `/users/${owner}`, needs: READ });
  return type === "Organization" ? `/orgs/${owner}` : `/users/${owner}`;
}
