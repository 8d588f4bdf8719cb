import { KilnError } from "../../errors.ts";
import type { AzureKeyVault } from "../namespace/credentials.ts";
import type { CertificateAuthority, Proxy, ProxyServer, ScaleSetRequest } from "./request.ts";

/** Throws a usage error where proxies, certificate authority or vault cannot lead to GitHub; `at` is the request's key path. */
export function requireConnection<Text>(request: ScaleSetRequest<Text>, at: string): void {
  const { proxy, vaultProxy, certificateAuthority, vault } = request;
  if (proxy !== undefined) requireProxy(proxy, `${at}.proxy`);
  if (vaultProxy !== undefined) requireProxy(vaultProxy, `${at}.vaultProxy`);
  if (vaultProxy !== undefined && vault === undefined) {
    throw refusal(`${at}.vaultProxy is set, but no vault is`, `Leave it out, or set ${at}.vault`);
  }
  if (certificateAuthority !== undefined) requireAuthority(certificateAuthority, `${at}.certificateAuthority`);
  if (vault !== undefined) requireVault(vault, `${at}.vault`);
}

function requireProxy({ http, https }: Proxy, at: string): void {
  if (http === undefined && https === undefined) {
    throw refusal(`${at} names no proxy`, `Set ${at}.https, or leave it out`);
  }
  for (const [key, server] of Object.entries({ http, https })) {
    if (server !== undefined) requireProxyServer(server, `${at}.${key}`);
  }
}

/** A password in an address would be written into the state, the manifest and the environment of every job. */
function requireProxyServer({ url }: ProxyServer, at: string): void {
  const address = URL.parse(url);
  if (address?.protocol !== "http:" && address?.protocol !== "https:") {
    throw refusal(`${at}.url is no http or https address`, "Set it to one such as http://proxy.example:3128");
  }
  if (address.username === "" && address.password === "") return;
  throw refusal(
    `${at}.url holds credentials, which every job would see`,
    `Put username and password into a Secret, and its name into ${at}.credentialSecretRef`,
  );
}

function requireAuthority({ configMap, key, runnerMountPath }: CertificateAuthority, at: string): void {
  if (configMap === "") throw refusal(`${at}.configMap is empty`, "Name the ConfigMap that holds the certificate");
  if (key === "") throw refusal(`${at}.key is empty`, "Name the key of the ConfigMap, such as ca.crt");
  if (runnerMountPath?.startsWith("/") !== false) return;
  throw refusal(
    `${at}.runnerMountPath is ${JSON.stringify(runnerMountPath)}, which is no full path`,
    "Set it to a folder such as /usr/local/share/ca-certificates",
  );
}

function requireVault({ url, tenantId, clientId, certificatePath }: AzureKeyVault, at: string): void {
  if (URL.parse(url)?.protocol !== "https:") {
    throw refusal(`${at}.url is no https address`, "Set it to one such as https://acme.vault.azure.net");
  }
  for (const [key, value] of Object.entries({ tenantId, clientId })) {
    if (value === "") throw refusal(`${at}.${key} is empty`, "Set it to the one of the app registration in Entra ID");
  }
  if (certificatePath.startsWith("/")) return;
  throw refusal(
    `${at}.certificatePath is ${JSON.stringify(certificatePath)}, which is no full path`,
    "Set it to where the certificate is mounted in the pods of controller and listener",
  );
}

function refusal(message: string, mend: string): KilnError {
  return new KilnError("usage", message, { mend });
}
