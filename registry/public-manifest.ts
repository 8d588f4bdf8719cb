import { setTimeout as sleep } from "node:timers/promises";
import { KilnError, messageOf } from "../errors.ts";
import { interruption, throwIfInterrupted } from "../toolchain/process.ts";
import { registryHost } from "./image-reference.ts";
import { isLoopback } from "./repository-names.ts";

const PATIENCE_MS = 20_000;
const TRIES = 3;
/** Strangers may ask only so often, and a look asks for many tags: nobody waits longer for one. */
const LONGEST_WAIT_MS = 10_000;
const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/**
 * Whether a public repository has a tag, asked as anybody may ask, by the OCI distribution API: for machines without regctl and
 * without a login. Waits a little where it is asked too often. Throws where the registry does not say, as it does of a private
 * repository.
 */
export async function hasPublicTag(repository: string, tag: string, pause = pauseHere): Promise<boolean> {
  const host = registryHost(repository);
  const origin = `${isLoopback(host) ? "http" : "https"}://${host}`;
  const address = `${origin}/v2/${repository.slice(host.length + 1)}/manifests/${tag}`;
  const first = await asked(address, "HEAD", pause);
  const token = first.status === 401 ? await readToken(first.headers.get("www-authenticate"), host, pause) : undefined;
  const { status } = token === undefined ? first : await asked(address, "HEAD", pause, token);
  if (status === 200) return true;
  if (status === 404) return false;
  throw new KilnError("unreachable", `${host} answered ${status} for ${repository}:${tag}`, {
    mend: "It is asked without a login: the repository has to be public, or to exist.",
  });
}

/** The token that a registry's challenge (RFC 6750) sends strangers for; nothing where it offers none. */
async function readToken(challenge: string | null, host: string, pause: Pause): Promise<string | undefined> {
  const [, parameters] = /^Bearer (.*)$/i.exec(challenge ?? "") ?? [];
  const found = [...(parameters ?? "").matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value] as const);
  const { realm, ...others } = Object.fromEntries(found) as Readonly<Record<string, string>>;
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const address = new URL(realm);
  if (address.protocol !== "https:" && !isLoopback(host)) return undefined;
  for (const [name, value] of Object.entries(others)) address.searchParams.set(name, value);
  const answer = await asked(address.href, "GET", pause);
  const document = (await answer.json().catch(() => ({}))) as { token?: unknown; access_token?: unknown };
  const token = document.token ?? document.access_token;
  return typeof token === "string" ? token : undefined;
}

type Pause = (milliseconds: number) => Promise<void>;

async function asked(address: string, method: "HEAD" | "GET", pause: Pause, token?: string): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await attemptOf(address, method, token);
    const wait = waitOf(response, attempt);
    if (response.status !== 429 || attempt === TRIES || wait > LONGEST_WAIT_MS) return response;
    await response.body?.cancel();
    await pause(wait);
  }
}

/** Milliseconds that a registry asks to wait; where it does not say, more with every try. */
function waitOf({ headers }: Response, attempt: number): number {
  const seconds = headers.get("retry-after") ?? "";
  return /^\d+$/.test(seconds) ? Number(seconds) * 1000 : 1000 * 2 ** (attempt - 1);
}

async function pauseHere(milliseconds: number): Promise<void> {
  await sleep(milliseconds, undefined, { signal: interruption.signal }).catch(throwIfInterrupted);
}

async function attemptOf(address: string, method: "HEAD" | "GET", token?: string): Promise<Response> {
  try {
    return await fetch(address, {
      method,
      headers: { accept: MANIFESTS, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      signal: AbortSignal.any([interruption.signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
  } catch (error) {
    throwIfInterrupted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new KilnError("unreachable", `${new URL(address).host} cannot be reached: ${messageOf(cause)}`, {
      mend: "Check the network, the proxy and images/pulumi-runner/registries.json.",
    });
  }
}
