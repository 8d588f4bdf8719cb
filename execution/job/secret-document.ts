import { KilnError } from "../../errors.ts";
import { RESULT_TOKEN, type JobDescription } from "./description.ts";

/** Values by the names that a description has. */
export type SecretValues = Readonly<Record<string, Buffer>>;

/** What the entrypoint reads, from standard input or a file of a Kubernetes Secret. It stands nowhere else. */
export interface JobSecretDocument {
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, { readonly name: string; readonly base64: string }>>;
  readonly repository?: Readonly<Record<string, string>>;
  readonly vault?: Readonly<Record<string, string>>;
  readonly result_token?: string;
}

/** Names whose values are not the script's: logins to Vault and to the repository, which the entrypoint uses itself, as RESULT_TOKEN. */
const OF_VAULT: Readonly<Record<string, string>> = {
  VAULT_ROLE_ID: "role_id",
  VAULT_SECRET_ID: "secret_id",
  VAULT_TOKEN: "token",
  VAULT_JWT: "jwt",
};
const OF_REPOSITORY: Readonly<Record<string, string>> = {
  GIT_USERNAME: "username",
  GIT_PASSWORD: "password",
  GIT_SSH_KEY: "ssh_key",
  GIT_KNOWN_HOSTS: "known_hosts",
};

/** The document of a run's secrets. Throws a usage error that names a secret without a value, or a value without a name. */
export function secretDocument(description: JobDescription, values: SecretValues): JobSecretDocument {
  const named = new Set(description.secrets.map(({ name }) => name));
  const missing = [...named].find((name) => !Object.hasOwn(values, name));
  if (missing !== undefined) {
    throw new KilnError("usage", `the secret ${missing} of the job has no value`, {
      mend: `Give it with --secret ${missing}=env:VARIABLE or --secret ${missing}=FILE.`,
    });
  }
  const unknown = Object.keys(values).find((name) => !named.has(name));
  if (unknown !== undefined) throw new KilnError("usage", `the job has no secret ${unknown}`);
  const usesVault = description.vault !== undefined;
  const fetches = description.source.kind === "repository";
  const parts: Record<"environment" | "files" | "vault" | "repository", [string, unknown][]> = {
    ...{ environment: [], files: [], vault: [], repository: [] },
  };
  let token: string | undefined;
  for (const { name, as } of description.secrets) {
    const value = values[name] ?? Buffer.alloc(0);
    const [login, access] = [OF_VAULT[name], OF_REPOSITORY[name]];
    if (description.result_url !== undefined && name === RESULT_TOKEN) token = textOf(name, value);
    else if (usesVault && login !== undefined) parts.vault.push([login, textOf(name, value)]);
    else if (fetches && access !== undefined) parts.repository.push([access, textOf(name, value)]);
    else if (as === "file") parts.files.push([name, { name, base64: value.toString("base64") }]);
    else parts.environment.push([name, textOf(name, value)]);
  }
  const filled = Object.entries(parts).filter(([, entries]) => entries.length > 0);
  const document = Object.fromEntries(filled.map(([part, entries]) => [part, Object.fromEntries(entries)]));
  return { ...document, ...(token === undefined ? {} : { result_token: token }) };
}

/** The texts that a redactor hides. */
export function secretTexts(values: SecretValues): readonly string[] {
  return Object.values(values).map((value) => value.toString("utf8"));
}

/** A variable holds text: no NUL, no bytes that are none. */
function textOf(name: string, value: Buffer): string {
  const text = value.toString("utf8").replace(/\r?\n$/, "");
  if (!text.includes("\0") && Buffer.from(value.toString("utf8")).equals(value)) return text;
  throw new KilnError("usage", `the secret ${name} is no text, which a variable needs`, {
    mend: `Give it as a file: --secret-file ${name}=FILE.`,
  });
}
