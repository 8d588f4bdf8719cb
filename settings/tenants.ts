import { parseConfigUrl, type ConfigUrl } from "../runners/scale-set/config-url.ts";
import type { Credentials } from "../runners/namespace/credentials.ts";
import { at } from "./cluster.ts";
import { credentialsOf, type SecretKeys } from "./credentials.ts";
import { listOf, mapOf, refusal, requiredText, section, type Field } from "./field.ts";
import { objectNameOf, requiredDataKey, requiredObjectName } from "./kubernetes-values.ts";
import { NAME, zoneOf, type ZoneSettings } from "./zone.ts";

/** One customer of the cluster's controller: a GitHub organization, repository or enterprise with runners of its own. */
export interface TenantSettings {
  readonly name: string;
  readonly url: ConfigUrl;
  readonly credentials: Credentials;
  readonly proxy: ProxySettings | undefined;
  readonly certificateAuthority: CertificateAuthority | undefined;
  /** Secrets in each of the tenant's namespaces that pull the runner image. */
  readonly imagePullSecrets: readonly string[];
  /** The workflow that rebuilds the runner image, started from the cluster when the runner in it grows old. */
  readonly rebuild: RebuildSettings | undefined;
  /** Pushes and tags run in the trusted zone, pull requests in the untrusted one. */
  readonly trusted: ZoneSettings;
  readonly untrusted: ZoneSettings | undefined;
}

export interface ProxySettings {
  readonly http: ProxyServer | undefined;
  readonly https: ProxyServer | undefined;
  readonly noProxy: readonly string[];
}

export interface ProxyServer {
  readonly url: string;
  /** A Secret of the namespace with `username` and `password`. */
  readonly credentialSecretRef: string | undefined;
}

export interface RebuildSettings {
  /** `https://github.com/<owner>/<repository>`. */
  readonly repositoryUrl: string;
  /** A file of its `.github/workflows`. */
  readonly workflow: string;
  readonly at: string;
}

/** A ConfigMap of the namespace that holds the certificate of a GitHub Enterprise Server. */
export interface CertificateAuthority {
  readonly configMap: string;
  readonly key: string;
}

const TENANT = [
  "url",
  "credentials",
  "proxy",
  "certificateAuthority",
  "imagePullSecrets",
  "rebuild",
  "trusted",
  "untrusted",
] as const;

/** The tenants of a stack, by name. Throws a usage error that names the key. */
export function tenantsOf(field: Field, stack: string, secrets: SecretKeys): Readonly<Record<string, TenantSettings>> {
  return mapOf(field, (own) => tenantOf(own, stack, secrets), NAME);
}

function tenantOf(field: Field, stack: string, secrets: SecretKeys): TenantSettings {
  const tenant = section(field, TENANT);
  const name = field.key.slice(field.key.lastIndexOf(".") + 1);
  const url = requiredText(tenant("url"), "Set it to https://github.com/<organization>[/<repository>]");
  const configUrl = parseConfigUrl(url, at(tenant("url")));
  const zone = { stack, tenant: name, grouped: configUrl.kind !== "repository" };
  const untrusted = tenant("untrusted");
  if (tenant("trusted").value === undefined) {
    throw refusal(tenant("trusted"), "is not set", {
      mend: "Describe at least one zone: kiln's docs/runners.md has one",
    });
  }
  const credentials = credentialsOf(tenant("credentials"), configUrl, secrets);
  return Object.freeze({
    name,
    url: configUrl,
    credentials,
    proxy: proxyOf(tenant("proxy")),
    certificateAuthority: certificateAuthorityOf(tenant("certificateAuthority")),
    imagePullSecrets: listOf(tenant("imagePullSecrets"), (item) => requiredObjectName(item, "Name a Secret")),
    rebuild: rebuildOf(tenant("rebuild"), credentials),
    trusted: zoneOf(tenant("trusted"), { ...zone, trust: "trusted" }),
    untrusted: untrusted.value === undefined ? undefined : zoneOf(untrusted, { ...zone, trust: "untrusted" }),
  });
}

function proxyOf(field: Field): ProxySettings | undefined {
  if (field.value === undefined) return undefined;
  // An address that stands one level too high may hold a password.
  const proxy = section({ ...field, confidential: true }, ["http", "https", "noProxy"]);
  return Object.freeze({
    http: proxyServerOf(proxy("http")),
    https: proxyServerOf(proxy("https")),
    noProxy: listOf(proxy("noProxy"), (item) => requiredText(item, "Write a host, a domain or a network")),
  });
}

function proxyServerOf(field: Field): ProxyServer | undefined {
  if (field.value === undefined) return undefined;
  const server = section(field, ["url", "credentialSecretRef"]);
  const url = requiredText(server("url"), "Set it to http://<host>:<port>");
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw refusal(server("url"), "is no address of a proxy", {
      mend: "Set it to http://<host>:<port>",
    });
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw refusal(server("url"), "holds a password, which would be plain in the cluster", {
      mend: "Put username and password into a Secret of the namespace, and its name into credentialSecretRef",
    });
  }
  return Object.freeze({ url, credentialSecretRef: objectNameOf(server("credentialSecretRef")) });
}

function rebuildOf(field: Field, credentials: Credentials): RebuildSettings | undefined {
  if (field.value === undefined) return undefined;
  if (credentials.kind === "vault") {
    throw refusal(
      field,
      "cannot be started from the cluster: its App's key is in a vault, which only the controller reads",
      {
        mend: "Remove it, and start the rebuild by a schedule of GitHub's, or take the App's key from a Secret",
      },
    );
  }
  const rebuild = section(field, ["repositoryUrl", "workflow"]);
  const mend = "Name the repository and the file of its workflow that rebuilds the runner image";
  return Object.freeze({
    repositoryUrl: requiredText(rebuild("repositoryUrl"), mend),
    workflow: requiredText(rebuild("workflow"), mend),
    at: at(field),
  });
}

function certificateAuthorityOf(field: Field): CertificateAuthority | undefined {
  if (field.value === undefined) return undefined;
  const authority = section(field, ["configMap", "key"]);
  const mend = "Name the ConfigMap of the runners' namespace and its key, such as ca.crt";
  return Object.freeze({
    configMap: requiredObjectName(authority("configMap"), mend),
    key: requiredDataKey(authority("key"), mend),
  });
}
