import { readFile } from "node:fs/promises";
import { KilnError, messageOf } from "../../errors.ts";
import type { Json, JsonObject } from "../../execution/module/json.ts";
import type { Invocation } from "../command.ts";
import { optional } from "../options.ts";

type Values = Invocation["values"];

const TEXT = { type: "string" } as const;

/** Where Vault is and what is taken from it. */
export const VAULT_OPTIONS = {
  vault: TEXT,
  "vault-address": TEXT,
  "vault-namespace": TEXT,
  "vault-ca-cert": TEXT,
} as const;

export const VAULT_HELP = {
  vault: "a JSON file with what to take from Vault: auth, mount, role, secrets; address and namespace too",
  "vault-address": "Vault's address as the job reaches it (default: that of --vault, else VAULT_ADDR)",
  "vault-namespace": "its namespace (default: that of --vault, else VAULT_NAMESPACE)",
  "vault-ca-cert": "a file of certificates in PEM that its own is checked by (default: VAULT_CACERT)",
} as const;

/** Options for what Vault's own CLI reads from a variable. */
const NAMED = [
  { option: "vault-address", field: "address", variable: "VAULT_ADDR" },
  { option: "vault-namespace", field: "namespace", variable: "VAULT_NAMESPACE" },
] as const;

/** A job's settings of Vault: an option before `settings`, which `--vault` names, before the variables that Vault's own CLI reads. */
export async function vaultSettings(
  values: Values,
  settings: JsonObject | undefined,
  env: NodeJS.ProcessEnv,
): Promise<JsonObject | undefined> {
  if (settings === undefined) {
    const alone = Object.keys(VAULT_OPTIONS).find((option) => optional(values, option) !== undefined);
    if (alone === undefined) return undefined;
    throw new KilnError("usage", `--${alone} has no use without --vault`, {
      mend: "Say with --vault FILE what the job takes from Vault.",
    });
  }
  const named = NAMED.map(({ option, field, variable }) => {
    return [field, optional(values, option) ?? settings[field] ?? given(env, variable)] as const;
  });
  const certificates = await certificatesOf(values, settings, env);
  const found = [...named, ["ca_cert", certificates] as const].filter(([, value]) => value !== undefined);
  const complete = { ...settings, ...(Object.fromEntries(found) as JsonObject) };
  if (complete.address !== undefined) return complete;
  throw new KilnError("usage", "the job's settings of Vault have no address", {
    mend: "Give it with --vault-address, in the file of --vault, or in VAULT_ADDR.",
  });
}

/** A variable that is set and empty is none, as for Vault itself. */
function given(env: NodeJS.ProcessEnv, variable: string): string | undefined {
  const value = env[variable];
  return value === "" ? undefined : value;
}

/** Their text goes into the description: a replay elsewhere has no such file. */
async function certificatesOf(
  values: Values,
  { ca_cert: own }: JsonObject,
  env: NodeJS.ProcessEnv,
): Promise<Json | undefined> {
  const option = optional(values, "vault-ca-cert");
  const file = option ?? (own === undefined ? given(env, "VAULT_CACERT") : undefined);
  if (file === undefined) return own;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const from = option === undefined ? "VAULT_CACERT" : "--vault-ca-cert";
    throw new KilnError("usage", `${from} cannot be read: ${messageOf(error)}`);
  }
}
