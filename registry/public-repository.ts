import { setTimeout as sleep } from "node:timers/promises";
import { KilnError, messageOf } from "../errors.ts";
import { interruption, throwIfInterrupted } from "../toolchain/process.ts";
import { referrersTag, registryHost } from "./image-reference.ts";
import { isLoopback } from "./repository-names.ts";

const PATIENCE_MS = 20_000;
const TRIES = 3;
/** Strangers may ask only so often, and a look asks for many tags: nobody waits longer for one. */
const LONGEST_WAIT_MS = 10_000;
const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFESTS = [
  INDEX,
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
/** What registries without the referrers API answer to a path that they do not know; some show a page. */
const NO_REFERRERS_API: readonly number[] = [200, 400, 404, 405];

type Pause = (milliseconds: number) => Promise<void>;

/**
 * A public repository, asked as anybody may ask, by the OCI distribution API: for machines without regctl and without a login.
 * Waits a little where it is asked too often. Throws where the registry does not say, as it does of a private repository.
 */
export class PublicRepository {
  readonly name: string;
  readonly #host: string;
  readonly #address: string;
  readonly #pause: Pause;
  #token: string | undefined;

  /** `name` is `host/path`. `pause` waits so many milliseconds; tests do not. */
  constructor(name: string, pause: Pause = pauseHere) {
    this.name = name;
    this.#host = registryHost(name);
    this.#address = `${isLoopback(this.#host) ? "http" : "https"}://${this.#host}/v2/${name.slice(this.#host.length + 1)}`;
    this.#pause = pause;
  }

  /** Whether the repository has a tag. */
  async hasTag(tag: string): Promise<boolean> {
    return (await this.#ask(`manifests/${tag}`, "HEAD")) !== undefined;
  }

  /** The digest that a tag names; nothing where there is no such tag. */
  async readDigest(tag: string): Promise<string | undefined> {
    const response = await this.#ask(`manifests/${tag}`, "HEAD");
    const digest = response?.headers.get("docker-content-digest") ?? undefined;
    if (response === undefined || digest !== undefined) return digest;
    throw this.#unreadable(tag, "without its digest");
  }

  /** A manifest or an index by tag or digest; nothing where there is none. */
  async readManifest(reference: string): Promise<unknown> {
    const response = await this.#ask(`manifests/${reference}`, "GET");
    return response === undefined ? undefined : this.#document(reference, response);
  }

  /** A document that is a blob, by its digest; nothing where there is none. */
  async readDocument(digest: string): Promise<unknown> {
    const response = await this.#ask(`blobs/${digest}`, "GET");
    return response === undefined ? undefined : this.#document(digest, response);
  }

  /** The digests of what is attached to an image, of one artifact type: by the referrers API, or by the fallback tag. */
  async readReferrers(digest: string, artifactType: string): Promise<readonly string[]> {
    const query = `?artifactType=${encodeURIComponent(artifactType)}`;
    const { status, response } = await this.#answer(`referrers/${digest}${query}`, "GET");
    const isKnown = status === 200 && response.headers.get("content-type")?.startsWith(INDEX) === true;
    if (!isKnown) await response.body?.cancel();
    // Any other answer, as one that fails for the moment, says nothing of what is attached.
    if (!isKnown && !NO_REFERRERS_API.includes(status)) throw this.#refused(`the referrers of ${digest}`, status);
    const index = isKnown ? await this.#document(digest, response) : await this.readManifest(referrersTag(digest));
    const { manifests } = (index ?? {}) as { readonly manifests?: readonly unknown[] };
    return (Array.isArray(manifests) ? manifests : []).flatMap((entry: unknown) => {
      const { artifactType: type, digest: own } = (entry ?? {}) as { artifactType?: unknown; digest?: unknown };
      return type === artifactType && typeof own === "string" ? [own] : [];
    });
  }

  /** The answer to a request; nothing where there is no such thing. Throws for every other refusal. */
  async #ask(path: string, method: "HEAD" | "GET"): Promise<Response | undefined> {
    const { status, response } = await this.#answer(path, method);
    if (status === 200) return response;
    await response.body?.cancel();
    if (status === 404) return undefined;
    throw this.#refused(path.replace(/^manifests\//, ""), status);
  }

  /** Asks with the token that this registry gave before; where it wants one, with one that it gives to anybody. */
  async #answer(path: string, method: "HEAD" | "GET"): Promise<{ status: number; response: Response }> {
    const address = `${this.#address}/${path}`;
    let response = await asked(address, method, this.#pause, this.#token);
    if (response.status === 401) {
      await response.body?.cancel();
      this.#token = await readToken(response.headers.get("www-authenticate"), this.#host, this.#pause);
      if (this.#token !== undefined) response = await asked(address, method, this.#pause, this.#token);
    }
    return { status: response.status, response };
  }

  async #document(reference: string, response: Response): Promise<unknown> {
    try {
      return JSON.parse(await response.text()) as unknown;
    } catch {
      throwIfInterrupted();
      throw this.#unreadable(reference, "with what is no JSON");
    }
  }

  #refused(reference: string, status: number): KilnError {
    return new KilnError("unreachable", `${this.#host} answered ${status} for ${this.name}:${reference}`, {
      mend: "It is asked without a login: the repository has to be public, or to exist.",
    });
  }

  #unreadable(reference: string, what: string): KilnError {
    return new KilnError("unreachable", `${this.#host} answered ${what} for ${this.name}:${reference}`, {
      mend: "Look whether a proxy answers in its place.",
    });
  }
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
