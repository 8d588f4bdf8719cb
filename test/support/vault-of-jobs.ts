import { generateKeyPairSync, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { VaultServer } from "./vault-server.ts";

/** What a Vault has for jobs: a secret, certificates with a lease, three ways to log in. */
export interface VaultOfJobs {
  readonly roleId: string;
  /** Another half of the AppRole; with `wrap` a token that it is in. */
  secretId(wrap?: string): Promise<string>;
  /** A token that a token of the job's policy is wrapped in. */
  wrapped(): Promise<string>;
  /** A token as a cluster makes it for the service account of a pod. */
  podToken(audience: string): string;
  /** How many tokens there are. */
  tokens(): Promise<number>;
  /** The file that Vault tells of each request in, with the namespace that was asked for. */
  audit(): Promise<string>;
}

export const PASSWORD = "the password of the database";
/** Of several lines, as keys are. */
export const KEY = "first line of the key\nsecond line of the key\n";
export const POD = "system:serviceaccount:jobs:default";
/** Where certificates are issued, and their leases stand. */
export const ISSUE = "pki/issue/job";

/** Prepares a Vault that has nothing yet. */
export async function prepareVault(vault: VaultServer, directory: string): Promise<VaultOfJobs> {
  const log = path.join(directory, "audit.log");
  await vault.done("PUT", "sys/audit/file", { type: "file", options: { file_path: log } });
  await vault.done("PUT", "sys/config/auditing/request-headers/X-Vault-Namespace", { hmac: false });
  await vault.done("POST", "secret/data/app", { data: { password: PASSWORD, key: KEY } });
  await vault.done("POST", "sys/mounts/pki", { type: "pki" });
  await vault.done("POST", "pki/root/generate/internal", { common_name: "authority of a test" });
  // A certificate that is issued with a lease is revoked when that ends, as a user of a database is removed.
  await vault.done("POST", "pki/roles/job", { allow_any_name: true, ttl: "10m", generate_lease: true });
  const policy = `path "secret/data/app" { capabilities = ["read"] } path "${ISSUE}" { capabilities = ["update"] }`;
  await vault.done("PUT", "sys/policies/acl/job", { policy });
  await vault.done("POST", "sys/auth/approle", { type: "approle" });
  await vault.done("POST", "auth/approle/role/job", { token_policies: "job", token_ttl: "10m" });
  const { data } = await vault.done("GET", "auth/approle/role/job/role-id");
  return {
    roleId: String(data.role_id),
    async secretId(wrap) {
      const at = "auth/approle/role/job/secret-id";
      if (wrap !== undefined) return wrappingToken((await vault.done("POST", at, {}, { wrap })).body);
      return String((await vault.done("POST", at, {})).data.secret_id);
    },
    async wrapped() {
      const token = { policies: ["job"], ttl: "10m" };
      return wrappingToken((await vault.done("POST", "auth/token/create", token, { wrap: "60s" })).body);
    },
    podToken: await trustPods(vault),
    async tokens() {
      return ((await vault.done("LIST", "auth/token/accessors")).data.keys as readonly string[]).length;
    },
    audit: () => readFile(log, "utf8"),
  };
}

function wrappingToken({ wrap_info: info }: Record<string, unknown>): string {
  return (info as { readonly token: string }).token;
}

/**
 * Lets pods log in by the key that their cluster signs tokens with, which Vault takes for `kubernetes` where it cannot ask
 * the cluster; the login is the same. Gives what such a cluster does.
 */
async function trustPods(vault: VaultServer): Promise<VaultOfJobs["podToken"]> {
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const publicKey = keys.publicKey.export({ type: "spki", format: "pem" });
  await vault.done("POST", "sys/auth/kubernetes", { type: "jwt" });
  await vault.done("POST", "auth/kubernetes/config", { jwt_validation_pubkeys: [publicKey] });
  const claims = { role_type: "jwt", user_claim: "sub", bound_audiences: ["vault"], bound_subject: POD };
  await vault.done("POST", "auth/kubernetes/role/job", { ...claims, token_policies: "job", token_ttl: "10m" });
  return (audience) => {
    const now = Math.floor(Date.now() / 1000);
    const parts = [
      { alg: "RS256", typ: "JWT" },
      { sub: POD, aud: [audience], iat: now, exp: now + 600 },
    ];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${text}.${sign("sha256", Buffer.from(text), keys.privateKey).toString("base64url")}`;
  };
}
