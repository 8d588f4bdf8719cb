import { createSign } from "node:crypto";
import { KilnError } from "../../errors.ts";
import { askGithub } from "./client.ts";
import type { GithubConnection } from "./connection.ts";

/** A GitHub App as it is installed at one owner. */
export interface InstalledApp {
  /** The App's id or client id. */
  readonly id: string;
  readonly installation: string;
  /** In PEM. */
  readonly privateKey: string;
}

/** What an App's own token may live at most is ten minutes, counted by GitHub's clock. */
const LIFE_SECONDS = 300;
const CLOCK_SKEW_SECONDS = 60;

/** A token of an App's installation for one repository, with these permissions and no others; it lives for an hour. */
export async function readInstallationToken(
  { api, repository, pause }: Omit<GithubConnection, "token">,
  app: InstalledApp,
  permissions: Readonly<Record<string, "read" | "write">>,
  now: number,
): Promise<string> {
  if (!/^\d+$/.test(app.installation)) {
    throw new KilnError("usage", "the installation of the App is no number", {
      mend: "It is the digits at the end of the installation's address.",
    });
  }
  const token = signedToken(app, Math.floor(now / 1000));
  const connection = { api, repository, token, ...(pause === undefined ? {} : { pause }) };
  const answer = await askGithub<{ token?: unknown }>(connection, {
    method: "POST",
    path: `/app/installations/${app.installation}/access_tokens`,
    body: { repositories: [repository.replace(/^.*\//, "")], permissions },
    needs: Object.entries(permissions)
      .map(([name, level]) => `${name}: ${level}`)
      .join(", "),
  });
  if (typeof answer.token === "string") return answer.token;
  throw new KilnError("unreachable", "GitHub gave no token for the App", { mend: "Look at the App's installation." });
}

/** An App's own token: a JSON Web Token signed with RS256 (RFC 7519), dated back for clocks that differ. */
export function signedToken({ id, privateKey }: InstalledApp, seconds: number): string {
  const encoded = (document: object) => Buffer.from(JSON.stringify(document)).toString("base64url");
  const claims = { iat: seconds - CLOCK_SKEW_SECONDS, exp: seconds + LIFE_SECONDS, iss: id };
  const content = `${encoded({ alg: "RS256", typ: "JWT" })}.${encoded(claims)}`;
  try {
    return `${content}.${createSign("RSA-SHA256").update(content).sign(privateKey, "base64url")}`;
  } catch {
    // What OpenSSL says may quote the key: no cause.
    throw new KilnError("usage", "the App's private key is no RSA key in PEM", {
      mend: "Download one on the App's page; the key itself stands in no command line.",
    });
  }
}
