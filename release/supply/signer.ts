import { access } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Signer } from "./cosign.ts";

/** Variables by one of which cosign finds a token that says who runs: GitHub's, or one that somebody hands over. */
const TOKENS = ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SIGSTORE_ID_TOKEN"] as const;

/**
 * Who signs here: the key that is named, by KILN_SIGNING_KEY where not by the caller, or whom an OIDC issuer vouches for. Throws a usage error where there is neither: nobody
 * is asked to log in with a browser.
 */
export async function signerHere(named: string | undefined, env: NodeJS.ProcessEnv): Promise<Signer> {
  // A workflow hands over its variable also where nobody has set it.
  const key = named ?? (env.KILN_SIGNING_KEY === "" ? undefined : env.KILN_SIGNING_KEY);
  if (key !== undefined) {
    const file = key.includes("://") ? key : path.resolve(key);
    if (key.includes("://") || (await exists(file))) return { kind: "key", key: file };
    throw new KilnError("usage", `there is no private key ${key}`, {
      mend: "`cosign generate-key-pair` makes one; or name the address of a KMS key.",
    });
  }
  if (TOKENS.some((name) => (env[name] ?? "") !== "")) return { kind: "oidc" };
  throw new KilnError("usage", "there is nobody to sign as", {
    mend: "Run it in a job with the permission `id-token: write`, or name a private key by --key or KILN_SIGNING_KEY.",
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
