import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { signingRepository, type SignaturePolicy } from "../../settings/signatures.ts";
import { networkMend } from "../../toolchain/network.mjs";
import { run, type RunResult } from "../../toolchain/process.ts";
import { hexOf } from "./statement.ts";

/** Who signs: a key, by its file or the address of a KMS, or whom an OIDC issuer takes the running workflow for. */
export type Signer = { readonly kind: "key"; readonly key: string } | { readonly kind: "oidc" };

/** What a bundle has to be of. */
export interface Claim {
  readonly digest: string;
  readonly predicateType: string;
}

/** Signs statements and verifies bundles. */
export interface Notary {
  /** The bundle of a signed statement. */
  sign(statement: string, signer: Signer): Promise<string>;
  /** What keeps a bundle from proving a claim; nothing where it does. Throws where that could not be found out. */
  faultOf(bundle: string, claim: Claim, policy: SignaturePolicy): Promise<string | undefined>;
}

/**
 * The notary that runs cosign, on files alone: registries are kiln's business, with one client and one login. `cosign` gives the
 * program when it is first needed; `project` is where keys of policies stand.
 */
export function cosignNotary(cosign: () => Promise<string>, project: string, env = process.env): Notary {
  return {
    sign: (statement, signer) =>
      inScratch(async (folder) => {
        const [file, bundle] = [path.join(folder, "statement.json"), path.join(folder, "bundle.json")];
        await writeFile(file, statement);
        const args = ["attest-blob", "--statement", file, "--bundle", bundle, "--yes", ...signerFlags(signer)];
        // A key's password is COSIGN_PASSWORD in the environment, maybe empty: where there is none cosign would ask, and nobody is.
        const result = await run(await cosign(), args, { env, allowFailure: true });
        if (result.code !== 0) throw notSigned(result, signer);
        return readFile(bundle, "utf8");
      }),
    faultOf: (bundle, { digest, predicateType }, policy) =>
      inScratch(async (folder) => {
        const file = path.join(folder, "bundle.json");
        await writeFile(file, bundle);
        const claim = ["--digest", hexOf(digest), "--digestAlg", "sha256", "--type", predicateType];
        const faults: string[] = [];
        for (const flags of policyFlags(policy, project)) {
          const args = ["verify-blob-attestation", "--bundle", file, ...claim, ...flags];
          const result = await run(await cosign(), args, { env: withoutSecrets(env), allowFailure: true });
          if (result.code === 0) return undefined;
          const said = saidBy(result);
          if (isUnreachable(said)) throw notVerified(said);
          faults.push(said);
        }
        return faults.join("; ");
      }),
  };
}

function notVerified(said: string): KilnError {
  return new KilnError("unreachable", `signatures cannot be verified: ${said}`, {
    mend: networkMend(said) ?? "Let this machine reach Sigstore's trust root, or run the command where it can.",
  });
}

/** A key needs nobody else; what an issuer vouches for stands in the transparency log as well. */
function signerFlags(signer: Signer): readonly string[] {
  return signer.kind === "oidc" ? [] : ["--key", signer.key, "--use-signing-config=false", "--tlog-upload=false"];
}

/**
 * What makes cosign demand a policy's signer, and no other: one list of flags, or one for each repository in which workflows that
 * may sign run, since cosign compares one at a time.
 */
export function policyFlags(policy: SignaturePolicy, project: string): readonly (readonly string[])[] {
  if (policy.kind === "key") {
    const key = policy.key.includes("://") ? policy.key : path.resolve(project, policy.key);
    // Who has the key needs no log to say when it was used.
    return [["--key", key, "--insecure-ignore-tlog=true"]];
  }
  const byRepository = Map.groupBy(policy.identities, (identity) => signingRepository(policy, identity));
  return [...byRepository].map(([repository, identities]) => [
    ...identityFlags(identities),
    ...["--certificate-oidc-issuer", policy.issuer],
    ...(repository === undefined ? [] : ["--certificate-github-workflow-repository", repository]),
  ]);
}

function identityFlags(identities: readonly string[]): readonly string[] {
  const [only, ...others] = identities;
  return only !== undefined && others.length === 0
    ? ["--certificate-identity", only]
    : ["--certificate-identity-regexp", `^(?:${identities.map(literally).join("|")})$`];
}

/** A text as a regular expression of Go that matches it alone. */
function literally(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
}

/** What signs, or lets sign: a password, and what a workflow's identity is asked for with. */
const SECRETS: readonly string[] = ["COSIGN_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SIGSTORE_ID_TOKEN"];

/** Verifying needs none of them, so that none can reach a log. */
function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRETS.includes(name)));
}

function notSigned(result: RunResult, signer: Signer): KilnError {
  const said = saidBy(result);
  if (isUnreachable(said)) {
    return new KilnError("unreachable", `cannot sign: ${said}`, {
      mend: networkMend(said) ?? "Let this machine reach Sigstore, or sign with --key.",
    });
  }
  return new KilnError("failed", `cannot sign: ${said}`, {
    mend:
      signer.kind === "key"
        ? "Set COSIGN_PASSWORD to the password of --key, a private key that `cosign generate-key-pair` made."
        : "Give the job the permission `id-token: write`.",
  });
}

/** The first error that cosign names, maybe behind a prompt: it repeats it, and warns of much else. */
function saidBy({ stderr, code }: RunResult): string {
  return /\bError: (.+)/.exec(stderr)?.[1]?.trim() ?? `cosign exited with ${code}`;
}

/** `x509: ` alone is said of a bundle's own certificate, too, and that is whoever's who attached it. */
const AWAY = /no such host|connection refused|dial tcp|i\/o timeout|deadline exceeded|tls: .*x509: |TLS handshake/i;

function isUnreachable(said: string): boolean {
  return AWAY.test(said);
}

async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "kiln-cosign-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
