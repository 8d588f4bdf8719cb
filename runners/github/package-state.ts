import { packageName, type ManualStepsRequest, type PackageState } from "./manual-steps.ts";

const PATIENCE_MS = 10_000;

/** Where to ask, and as whom. */
export interface PackageQuestion extends Pick<ManualStepsRequest, "owner" | "ownerKind"> {
  /** The address of the API: `https://api.github.com`. */
  readonly api: string;
  /** A classic token with `read:packages`: GitHub takes no other for packages. */
  readonly token: string;
}

/** The address of the API of a GitHub host: a GitHub Enterprise Server has it below its own, GHE.com beside it. */
export function apiAddress(host: string): string {
  if (host === "github.com" || host === "www.github.com") return "https://api.github.com";
  return host.endsWith(".ghe.com") ? `https://api.${host}` : `https://${host}/api/v3`;
}

/**
 * What GitHub says of an image's package; nothing where it is not there yet, may not be seen, or cannot be asked about: the
 * manual steps then name it as unchecked work. Never throws: a preview must not fail for want of a look.
 */
export async function readPackageState(question: PackageQuestion, image: string): Promise<PackageState | undefined> {
  const { api, owner, ownerKind, token } = question;
  const name = packageName(image, owner);
  if (name === undefined) return undefined;
  const scope = ownerKind === "organization" ? "orgs" : "users";
  try {
    const response = await fetch(`${api}/${scope}/${owner}/packages/container/${encodeURIComponent(name)}`, {
      headers: { authorization: `Bearer ${token}`, accept: "application/vnd.github+json" },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return response.ok ? stateOf(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}

function stateOf(answer: unknown): PackageState | undefined {
  const { visibility, repository } = answer as { visibility?: unknown; repository?: { full_name?: unknown } };
  if (visibility !== "public" && visibility !== "private" && visibility !== "internal") return undefined;
  const linked = repository?.full_name;
  return { visibility, repository: typeof linked === "string" ? linked : undefined };
}
