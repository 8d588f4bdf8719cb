import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { messageOf } from "../errors.ts";
import { refusedFinding, type Finding, type Refusal } from "./finding.ts";
import { certificateFile, proxiesOf, withoutCredentials } from "./network.mjs";

/** How it stands with the proxies of an environment; without their passwords. */
export function proxyFinding(env: NodeJS.ProcessEnv): Finding {
  const proxies = Object.entries(proxiesOf(env));
  const version = proxies.map(([name, address]) => `${name}=${withoutCredentials(address)}`).join(" ");
  const refusal = proxyRefusal(env);
  if (refusal !== undefined) return refusedFinding("proxy", version, refusal);
  if (proxies.length === 0) return unnamedFinding(env);
  const source = `environment; not for ${env.no_proxy ?? env.NO_PROXY ?? "any host"}`;
  return { name: "proxy", version, status: "ok", source, blocks: true };
}

/** Why kiln cannot use the proxies of an environment; undefined where it can, or where there are none. */
export function proxyRefusal(env: NodeJS.ProcessEnv): Refusal | undefined {
  const proxies = Object.entries(proxiesOf(env));
  const wrong = proxies.find(
    ([, address]) => !/^(https?:\/\/)?([^@/\s]*@)?(\[[\da-f:]+\]|[\w.-]+)(:\d+)?\/?$/i.test(address),
  );
  if (wrong === undefined) return undefined;
  return {
    reason: `${wrong[0]} is no address of an HTTP proxy, the only kind that npm, Node, Go and apt all use`,
    mend: `set ${wrong[0]} to http://host:port`,
  };
}

/** The row where nothing names a proxy that kiln's programs read. */
function unnamedFinding(env: NodeJS.ProcessEnv): Finding {
  const row = { name: "proxy", version: "none", source: "environment", blocks: false };
  if ((env.ALL_PROXY ?? env.all_proxy ?? "") === "") return { ...row, status: "ok" };
  return {
    ...row,
    status: "missing",
    mend: "set https_proxy and http_proxy as well: npm, Node and Go do not read ALL_PROXY",
  };
}

/** How it stands with the certificates that an environment adds. */
export async function certificatesFinding(env: NodeJS.ProcessEnv, now: Date): Promise<Finding> {
  const file = certificateFile(env);
  const row = { name: "certificates", blocks: true } as const;
  if (file === undefined) return { ...row, version: "the system's", status: "ok", source: "no KILN_CA_FILE" };
  const variable = ["KILN_CA_FILE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"].find((name) => env[name] === file) ?? "";
  const refusal = await certificatesRefusal(env, now);
  if (refusal !== undefined) return { ...refusedFinding("certificates", variable, refusal), path: file };
  const all = certificatesOf(await readFile(file, "utf8"));
  const expired = all.filter((certificate) => certificate.validToDate < now).length;
  const version = `${all.length}${expired > 0 ? `, ${expired} expired` : ""}`;
  return { ...row, version, status: "ok", source: variable, path: file };
}

/** Why the certificates that an environment adds cannot be used; undefined where they can, or where there are none. */
export async function certificatesRefusal(env: NodeJS.ProcessEnv, now: Date): Promise<Refusal | undefined> {
  const file = certificateFile(env);
  if (file === undefined) return undefined;
  const mend = "name a file of PEM certificates in KILN_CA_FILE, such as the one that your company gives out";
  try {
    const all = certificatesOf(await readFile(file, "utf8"));
    if (all.length === 0) return { reason: `${file} holds no PEM certificate`, mend };
    if (all.some((certificate) => certificate.validFromDate <= now && now <= certificate.validToDate)) return undefined;
    const [first] = all;
    const period = `from ${first?.validFrom ?? ""} to ${first?.validTo ?? ""}`;
    return { reason: `no certificate of ${file} is valid now (the first: ${period})`, mend };
  } catch (error) {
    return { reason: `${file} cannot be read as certificates: ${messageOf(error)}`, mend };
  }
}

function certificatesOf(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
