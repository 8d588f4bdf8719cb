import { KilnError } from "../../errors.ts";
import { mapOf, may, member, object, text, VARIABLE, type Place } from "../module/document.ts";
import type { JsonObject } from "../module/json.ts";

/** The folder of what a container is to trust Vault by, and the certificates of Vault's authorities in it: below the workspace. */
export const VAULT_FOLDER = "vault";
export const VAULT_CERTIFICATES = `${VAULT_FOLDER}/ca.pem`;

/** What is a variable of Vault's own, and not among what the entrypoint is told in KILN_VAULT. */
const ADDRESSING: ReadonlySet<string> = new Set(["address", "namespace", "ca_cert"]);
const SETTINGS: ReadonlySet<string> = new Set([...ADDRESSING, "auth", "mount", "role", "jwt_file", "secrets"]);

const SECRET_FIELDS: ReadonlySet<string> = new Set(["path", "field", "as", "with"]);
/** What texts have to be, as the entrypoint takes them: it would refuse another in a container that was made for it. */
const PATH = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._@ -]*)*$/;
const NO_PATH = [
  "is no path of Vault",
  "Write such as secret/data/app: no part begins with a dot or is empty.",
] as const;
const WAYS = ["approle", "kubernetes", "wrapped", "token"];
const AUTH = fitting(
  (value) => WAYS.includes(value),
  "is no way to log in to Vault",
  `Write one of ${WAYS.join(", ")}.`,
);
const MOUNT = fitting((value) => value === "" || PATH.test(value), ...NO_PATH);
const SECRET_PATH = fitting((value) => PATH.test(value), ...NO_PATH);
const SECRET_FIELD = fitting((value) => value !== "", "is empty", "Name the field of what is there, such as password.");
const GIVEN_AS = ["", "environment", "file"];
const SECRET_AS = fitting(
  (value) => GIVEN_AS.includes(value),
  "is no way to give a secret",
  "Write environment or file.",
);

/**
 * Reads a description's settings of Vault, by the rules of the entrypoint. A login among them would stand in the history,
 * and in the container's variables. Throws an error that names the place of what is wrong.
 */
export function vaultAt(place: Place): JsonObject {
  const vault = object(place);
  refuseOthers(place, SETTINGS, "is no setting of Vault for a job", "a login goes with --secret VAULT_SECRET_ID");
  may(place, "address", text);
  may(place, "namespace", text);
  may(place, "ca_cert", certificates);
  const auth = AUTH(member(place, "auth"));
  may(place, "mount", MOUNT);
  may(place, "jwt_file", text);
  if (auth === "kubernetes" && (may(place, "role", text).role ?? "") === "") {
    throw new KilnError(place.kind, `${member(place, "role").path} is missing`, {
      mend: "Name the role of Vault that the pod's service account logs in to.",
    });
  }
  may(place, "role", text);
  may(place, "secrets", secretsAt);
  return vault;
}

function secretsAt(place: Place): void {
  const unfit = Object.keys(object(place)).find((name) => !VARIABLE.test(name));
  if (unfit !== undefined) {
    throw new KilnError(place.kind, `${member(place, unfit).path} is no name of a variable`, {
      mend: "Write letters, digits and _: the script gets the secret, or the path of its file, in that variable.",
    });
  }
  mapOf(secretAt)(place);
}

function secretAt(place: Place): void {
  refuseOthers(place, SECRET_FIELDS, "says nothing about a secret of Vault");
  SECRET_PATH(member(place, "path"));
  SECRET_FIELD(member(place, "field"));
  may(place, "as", SECRET_AS);
  may(place, "with", object);
}

/** A text of a kind; none, or another, is an error at its place, with its mend. */
function fitting(fits: (value: string) => boolean, problem: string, mend: string) {
  return (place: Place): string => {
    if (place.value === undefined) throw new KilnError(place.kind, `${place.path} is missing`, { mend });
    const value = text(place);
    if (fits(value)) return value;
    throw new KilnError(place.kind, `${place.path} ${problem}`, { mend });
  };
}

function refuseOthers(place: Place, known: ReadonlySet<string>, problem: string, more?: string): void {
  const unknown = Object.keys(object(place)).find((name) => !known.has(name));
  if (unknown === undefined) return;
  const mend = `There are ${[...known].join(", ")}${more === undefined ? "" : `; ${more}`}.`;
  throw new KilnError(place.kind, `${member(place, unknown).path} ${problem}`, { mend });
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
