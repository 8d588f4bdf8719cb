import { readFile } from "node:fs/promises";
import { KilnError, messageOf } from "../../errors.ts";
import type { GithubConnection } from "../github/connection.ts";
import { readInstallationToken } from "../github/app-token.ts";

/** What the token may do: make tags. */
const PERMISSIONS = { contents: "write" } as const;

/**
 * The token that pushes tags: KILN_APP_TOKEN as it is, or one for the App of KILN_APP_ID, KILN_APP_INSTALLATION_ID and
 * KILN_APP_PRIVATE_KEY_FILE; nothing where neither is set. Never GITHUB_TOKEN: a tag that a workflow's own token pushes
 * starts no workflow (GitHub's rule against loops), so that a release would be begun and never made.
 */
export async function readPusherToken(
  env: NodeJS.ProcessEnv,
  place: Omit<GithubConnection, "token">,
  now: number,
): Promise<string | undefined> {
  const given = set(env.KILN_APP_TOKEN);
  const [id, installation, file] = [env.KILN_APP_ID, env.KILN_APP_INSTALLATION_ID, env.KILN_APP_PRIVATE_KEY_FILE].map(
    set,
  );
  if (given !== undefined) return requireOther(given, env);
  const missing = [
    ...(id === undefined ? ["KILN_APP_ID"] : []),
    ...(installation === undefined ? ["KILN_APP_INSTALLATION_ID"] : []),
    ...(file === undefined ? ["KILN_APP_PRIVATE_KEY_FILE"] : []),
  ];
  if (missing.length === 3) return undefined;
  if (id === undefined || installation === undefined || file === undefined) {
    throw new KilnError("usage", `${missing.join(" and ")} is not set, and belongs to the App`, {
      mend: "Set all three, or KILN_APP_TOKEN to a token of the App's installation.",
    });
  }
  const privateKey = await readFile(file, "utf8").catch((error: unknown) => {
    throw new KilnError("usage", `the App's private key cannot be read: ${messageOf(error)}`, {
      mend: "Name a readable file by KILN_APP_PRIVATE_KEY_FILE.",
    });
  });
  return readInstallationToken(place, { id, installation, privateKey: privateKey.trim() }, PERMISSIONS, now);
}

/** Throws where tags would be pushed as a workflow itself. `needed` says that the remote takes a token at all. */
export function requirePusher(
  token: string | undefined,
  env: NodeJS.ProcessEnv,
  { needed }: { needed: boolean },
): void {
  if (token !== undefined || !needed) return;
  throw new KilnError("usage", "there is no App's token to push tags with", {
    mend: "Set KILN_APP_TOKEN: a tag that a workflow's own GITHUB_TOKEN pushes starts no workflow (docs/watch.md).",
  });
}

function requireOther(token: string, { GITHUB_TOKEN }: NodeJS.ProcessEnv): string {
  if (token !== set(GITHUB_TOKEN)) return token;
  throw new KilnError("usage", "KILN_APP_TOKEN is the workflow's own GITHUB_TOKEN", {
    mend: "A tag that it pushes starts no workflow: take a token of an App (actions/create-github-app-token).",
  });
}

/** Workflows set what is missing to an empty text. */
function set(value: string | undefined): string | undefined {
  const text = value?.trim() ?? "";
  return text === "" ? undefined : text;
}
