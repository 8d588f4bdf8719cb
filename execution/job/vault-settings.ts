import { KilnError } from "../../errors.ts";
import { may, member, object, text, type Place } from "../module/document.ts";
import type { JsonObject } from "../module/json.ts";

/** The folder of what a container is to trust Vault by, and the certificates of Vault's authorities in it: below the workspace. */
export const VAULT_FOLDER = "vault";
export const VAULT_CERTIFICATES = `${VAULT_FOLDER}/ca.pem`;

/** What is a variable of Vault's own, and not among what the entrypoint is told in KILN_VAULT. */
const ADDRESSING: ReadonlySet<string> = new Set(["address", "namespace", "ca_cert"]);
const SETTINGS: ReadonlySet<string> = new Set([...ADDRESSING, "auth", "mount", "role", "jwt_file", "secrets"]);

/** Reads a description's settings of Vault. A login among them would stand in the history, and in the container's variables. */
export function vaultAt(place: Place): JsonObject {
  const vault = object(place);
  const unknown = Object.keys(vault).find((name) => !SETTINGS.has(name));
  if (unknown !== undefined) {
    throw new KilnError(place.kind, `${member(place, unknown).path} is no setting of Vault for a job`, {
      mend: `There are ${[...SETTINGS].join(", ")}; a login goes with --secret VAULT_SECRET_ID.`,
    });
  }
  may(place, "address", text);
  may(place, "namespace", text);
  may(place, "ca_cert", certificates);
  return vault;
}

/** Certificates are public, the key of one is not. */
function certificates(place: Place): string {
  const pem = text(place);
  if (pem.includes("-----BEGIN CERTIFICATE-----") && !pem.includes("PRIVATE KEY")) return pem;
  throw new KilnError(place.kind, `${place.path} has to be certificates in PEM, and nothing else`);
}

/** The variables of a job's container that are about Vault. `workspace` is the folder below which the runner brings files. */
export function vaultEnvironment(vault: JsonObject | undefined, workspace: string): Readonly<Record<string, string>> {
  if (vault === undefined) return {};
  const { address, namespace } = vault;
  const told = Object.fromEntries(Object.entries(vault).filter(([name]) => !ADDRESSING.has(name)));
  return {
    ...(typeof address === "string" ? { VAULT_ADDR: address } : {}),
    ...(typeof namespace === "string" ? { VAULT_NAMESPACE: namespace } : {}),
    ...(vaultCertificates(vault) === undefined ? {} : { VAULT_CACERT: `${workspace}/${VAULT_CERTIFICATES}` }),
    KILN_VAULT: JSON.stringify(told),
  };
}

/** The certificates that go into the container as a file, in PEM. */
export function vaultCertificates(vault: JsonObject | undefined): string | undefined {
  return typeof vault?.ca_cert === "string" ? vault.ca_cert : undefined;
}
