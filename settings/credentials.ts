import type { ConfigUrl } from "../runners/scale-set/config-url.ts";
import { privateKeyProblem, requireCredentials, type Credentials } from "../runners/namespace/credentials.ts";
import { at } from "./cluster.ts";
import { refusal, requiredText, section, type Field } from "./field.ts";
import { requiredObjectName } from "./kubernetes-values.ts";

/** The stack's own secret keys: what a value is, to check it before anything is made, and whether it is encrypted. */
export interface SecretKeys {
  valueOf(key: string): string | undefined;
  isEncrypted(key: string): boolean;
  /** The configuration without them: a key that is no setting must be a secret. */
  readonly others: Readonly<Record<string, unknown>>;
}

/**
 * Divides a stack's configuration, whose keys have no namespace: what is encrypted and no setting is a secret that settings
 * may name. Pulumi hands values to a program in plain text; `isEncrypted` says what they are in the stack's file.
 */
export function secretKeysIn(
  raw: Readonly<Record<string, unknown>>,
  isEncrypted: (key: string) => boolean,
  settings: readonly string[],
): SecretKeys {
  const isSecret = (name: string) => !settings.includes(name) && isEncrypted(`kiln:${name}`);
  return {
    valueOf: (key) => {
      const value = key.startsWith("kiln:") ? raw[key.slice("kiln:".length)] : undefined;
      return typeof value === "string" ? value : undefined;
    },
    isEncrypted,
    others: Object.fromEntries(Object.entries(raw).filter(([name]) => !isSecret(name))),
  };
}

const SOURCES = ["secret", "app", "token", "vault"] as const;
const APP = ["id", "installationId", "privateKeyConfig"] as const;
const VAULT = ["secret", "url", "tenantId", "clientId", "certificatePath"] as const;

/** How a tenant's runners register. Secrets stay in the configuration: this names the keys. Throws a usage error. */
export function credentialsOf(field: Field, url: ConfigUrl, secrets: SecretKeys): Credentials {
  const credentials = section({ ...field, confidential: true }, SOURCES);
  const given = SOURCES.filter((source) => credentials(source).value !== undefined);
  const [source] = given;
  if (source === undefined || given.length > 1) {
    throw refusal(field, source === undefined ? "is not set" : `names ${given.join(" and ")}, but takes one of them`, {
      mend:
        "Set app: {id, installationId, privateKeyConfig} to a GitHub App, or secret: <name> to a Secret in the namespace " +
        "that holds one, or vault: {…} to an Azure Key Vault",
    });
  }
  const own = credentials(source);
  const read = credentialsFrom(source, own);
  requireCredentials(read, url, at(field));
  if (read.kind === "token") requireSecret(own, read.tokenConfig, secrets);
  if (read.kind === "app") requirePrivateKey(own, read.privateKeyConfig, secrets);
  return Object.freeze(read);
}

function credentialsFrom(source: (typeof SOURCES)[number], field: Field): Credentials {
  switch (source) {
    case "secret":
      return { kind: "existing", secretName: requiredObjectName(field, "Name the Secret") };
    case "app":
      return appOf(field);
    case "token":
      return { kind: "token", tokenConfig: configKeyOf(field, "the key of the token") };
    case "vault":
      return vaultOf(field);
  }
}

function appOf(field: Field): Credentials {
  const app = section(field, APP);
  return {
    kind: "app",
    appId: idOf(app("id"), "Set it to the App's id or client id"),
    installationId: idOf(app("installationId"), "Set it to the digits at the end of the installation's address"),
    privateKeyConfig: configKeyOf(app("privateKeyConfig"), "the key of the App's private key"),
  };
}

/** Ids are digits, which YAML reads as a number. */
function idOf(field: Field, mend: string): string {
  return typeof field.value === "number" ? String(field.value) : requiredText(field, mend);
}

function vaultOf(field: Field): Credentials {
  const vault = section(field, VAULT);
  const mend = "An Azure Key Vault needs secret, url, tenantId, clientId and certificatePath";
  return {
    kind: "vault",
    secretName: requiredText(vault("secret"), mend),
    vault: Object.freeze({
      url: requiredText(vault("url"), mend),
      tenantId: requiredText(vault("tenantId"), mend),
      clientId: requiredText(vault("clientId"), mend),
      certificatePath: requiredText(vault("certificatePath"), mend),
    }),
  };
}

/** Throws unless the key of an App is one that can sign. `field` is the App. */
function requirePrivateKey(field: Field, key: string, secrets: SecretKeys): void {
  const own = { ...field, key: `${field.key}.privateKeyConfig` };
  const problem = privateKeyProblem(requireSecret(own, key, secrets));
  if (problem === undefined) return;
  throw refusal(own, `names ${key}, whose value ${problem}`, {
    mend: `Download a private key of the App and run \`pulumi config set --secret ${key} < key.pem\``,
  });
}

/** The key of a secret of this stack, with its namespace: there, and encrypted. Throws a usage error. */
export function secretKeyOf(field: Field, secrets: SecretKeys, what: string): string {
  const key = configKeyOf(field, what);
  requireSecret(field, key, secrets);
  return key;
}

/** A key of this stack. Never repeats what it refuses, which may be the secret itself, pasted into the wrong line. */
function configKeyOf(field: Field, what: string): string {
  const named = requiredText({ ...field, confidential: true }, `Set it to ${what}, such as kiln:platformAppKey`);
  const key = named.includes(":") ? named : `kiln:${named}`;
  if (/^kiln:[\w.-]+$/.test(key)) return key;
  throw refusal(field, "is no configuration key", {
    mend: `Set it to ${what}, such as kiln:platformAppKey: the secret itself does not stand here`,
  });
}

/** The value under a key, which has to be there, and encrypted. A name that is no key is not repeated either. */
function requireSecret(field: Field, key: string, secrets: SecretKeys): string {
  const value = secrets.valueOf(key);
  if (value === undefined) {
    throw refusal(field, "names a key that is not set in this stack", {
      mend: "Set it with `pulumi config set --secret <that key>`; the secret itself does not stand here",
    });
  }
  if (secrets.isEncrypted(key)) return value;
  throw refusal(field, `names ${key}, which stands in the stack's file unencrypted`, {
    mend: `Revoke what it opens, and set a new one with \`pulumi config set --secret ${key}\``,
  });
}
