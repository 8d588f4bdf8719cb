import { createHash } from "node:crypto";
import { KilnError } from "../../errors.ts";
import type { ConfigUrl } from "../scale-set/config-url.ts";

export { privateKeyProblem } from "./private-key.ts";

/** Where the controller reads credentials itself: it signs in with a certificate that is mounted into its pods. */
export interface AzureKeyVault {
  readonly url: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** The path of that certificate in the pods of controller and listener. */
  readonly certificatePath: string;
}

/** How runners register with GitHub. Secrets are named, never held: what these values reach is the state's plain part. */
export type Credentials =
  /** A Secret of the runners' namespace that somebody else makes. */
  | { readonly kind: "existing"; readonly secretName: string }
  /** A GitHub App; `privateKeyConfig` is a secret configuration key such as `kiln:platformAppKey`. */
  | { readonly kind: "app"; readonly appId: string; readonly installationId: string; readonly privateKeyConfig: string }
  /** A classic personal access token, under a secret configuration key. */
  | { readonly kind: "token"; readonly tokenConfig: string }
  /** A secret of the vault, in the JSON form that actions-runner-controller documents. */
  | { readonly kind: "vault"; readonly secretName: string; readonly vault: AzureKeyVault };

/** The keys of the Secret that the controller reads: those of an App, or that of a token (its `GetAppConfig`). */
export const GITHUB_SECRET_KEYS = {
  app: ["github_app_id", "github_app_installation_id", "github_app_private_key"],
  token: ["github_token"],
} as const;

/** The Secret that kiln makes in a namespace of runners. */
export const GITHUB_SECRET_NAME = "github-credentials";

const APP_ID = /^(\d+|Iv[\w.]+)$/;
const INSTALLATION_ID = /^\d+$/;
const CONFIG_KEY = /^[\w.-]+:[\w.-]+$/;

/** Throws a usage error for credentials that cannot work at `url`; `at` is the key path where they are written. */
export function requireCredentials(credentials: Credentials, url: ConfigUrl | undefined, at: string): void {
  const refuse = (key: string, problem: string, mend: string): never => {
    throw new KilnError("usage", `${at}.${key} ${problem}`, { mend });
  };
  if (credentials.kind === "existing") {
    if (credentials.secretName === "") refuse("secret", "is empty", "Name a Secret of the runners' namespace");
  } else if (credentials.kind === "token") {
    if (!CONFIG_KEY.test(credentials.tokenConfig)) refuse("token", NO_CONFIG_KEY, NAME_A_CONFIG_KEY);
  } else if (credentials.kind === "app") {
    const { appId, installationId, privateKeyConfig } = credentials;
    if (!APP_ID.test(appId)) refuse("app.id", "is no App id", "Set it to the App's id or client id");
    if (!INSTALLATION_ID.test(installationId)) {
      refuse("app.installationId", "is no number", "Set it to the digits at the end of the installation's address");
    }
    if (!CONFIG_KEY.test(privateKeyConfig)) refuse("app.privateKeyConfig", NO_CONFIG_KEY, NAME_A_CONFIG_KEY);
    if (url?.kind === "enterprise") {
      const mend = "Set token: <config key> to a classic token with manage_runners:enterprise";
      refuse("app", "cannot register runners for an enterprise: GitHub has no App for that", mend);
    }
  }
}

// Neither repeats the value: a secret pasted into the wrong line must not reach a log.
const NO_CONFIG_KEY = "is no configuration key";
const NAME_A_CONFIG_KEY = "Name a secret key of the stack, such as kiln:platformAppKey: the secret does not stand here";

/** What a preview says about credentials that are allowed: one sentence each. */
export function credentialsWarnings(credentials: Credentials, url: ConfigUrl): readonly string[] {
  if (credentials.kind !== "token" || url.kind === "enterprise") return [];
  return [
    `${url.url} is served with a personal token, which acts as one person and ends with them: use a GitHub App, ` +
      "whose rights are those of runners alone",
  ];
}

/**
 * What the Secret of an App or a token holds. `secret` is the value under its configuration key; it may be an output's. A
 * line break at its end, which editors and pipes leave, is none of a token's.
 */
export function githubSecretData(
  credentials: Extract<Credentials, { kind: "app" | "token" }>,
  secret: string,
): Readonly<Record<string, string>> {
  if (credentials.kind === "token") return { github_token: secret.trim() };
  return {
    github_app_id: credentials.appId,
    github_app_installation_id: credentials.installationId,
    github_app_private_key: secret,
  };
}

/**
 * A name for a state of the credentials: 16 hexadecimal digits of their SHA-256. Keys and tokens hold far more than the 64
 * bits that it tells, so it may stand in an annotation, where a change of it restarts the listener.
 */
export function credentialsVersionOf(data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}
