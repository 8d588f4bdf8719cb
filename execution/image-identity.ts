import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { parseReference } from "../registry/image-reference.ts";
import { lastLines } from "../toolchain/process.ts";
import { dockerCall } from "./docker-call.ts";
import type { ContainerEngine } from "./offline-container.ts";

/** An image of an engine as it is run: by its id, which no one can move. */
export interface IdentifiedImage {
  /** As it was asked for. */
  readonly reference: string;
  /** `sha256:…` of its content. */
  readonly id: string;
  /** `repository@sha256:…` by which registries have it. */
  readonly repoDigests: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

interface Inspected {
  readonly Id: string;
  readonly RepoDigests: readonly string[] | null;
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> | null } | null;
}

const ID = /^(?:sha256:)?[0-9a-f]{12,64}$/;
const PULL_MS = 1_800_000;

/**
 * Finds an image, pulling it where the engine does not have it, and says what it is. With a digest in the reference, or as
 * `expected` (an image id or a registry's digest), an image of another content is an error of kind `difference`, also
 * where a tag beside the digest has moved on.
 */
export async function identifyImage(
  engine: ContainerEngine,
  reference: string,
  options: {
    readonly expected?: string | undefined;
    readonly progress: Progress;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<IdentifiedImage> {
  const { expected, progress, signal } = options;
  const { exact, tagged, digest } = readReference(reference);
  const there = tagged === undefined ? undefined : await inspect(engine, tagged);
  if (there !== undefined && digest !== undefined && !isOf(there, digest))
    throw moved(tagged ?? reference, digest, there);
  const found = (await inspect(engine, exact)) ?? (await pulled(engine, exact, progress, signal));
  for (const wanted of [digest, expected]) {
    if (wanted !== undefined && !isOf(found, wanted)) throw moved(reference, wanted, found);
  }
  return {
    reference,
    id: found.Id,
    repoDigests: found.RepoDigests ?? [],
    labels: found.Config?.Labels ?? {},
  };
}

/** What to ask the engine for, and the tag and digest that must agree where a reference has both. */
function readReference(reference: string): { exact: string; tagged?: string; digest?: string } {
  if (ID.test(reference)) return { exact: reference };
  const { repository, tag, digest } = parseReference(reference);
  if (digest === undefined) return { exact: reference };
  const exact = `${repository}@${digest}`;
  return { exact, digest, ...(tag === undefined ? {} : { tagged: `${repository}:${tag}` }) };
}

function isOf(image: Inspected, digest: string): boolean {
  return image.Id === digest || (image.RepoDigests ?? []).some((known) => known.endsWith(`@${digest}`));
}

function moved(reference: string, digest: string, image: Inspected): KilnError {
  return new KilnError("difference", `${reference} is ${image.Id}, not ${digest}`, {
    mend: "Its tag was moved, or it is another image: name the digest that you looked at, or preview again.",
  });
}

async function inspect(engine: ContainerEngine, name: string): Promise<Inspected | undefined> {
  const result = await dockerCall(engine, ["image", "inspect", "--format", "{{json .}}", name], { allowFailure: true });
  if (result.code === 0) return JSON.parse(result.stdout) as Inspected;
  if (/no such image|not found/i.test(result.stderr)) return undefined;
  throw new KilnError("unreachable", `docker cannot say what ${name} is: ${lastLines(result.stderr, 2)}`, {
    mend: "Check that the Docker engine answers (`docker ps`).",
  });
}

async function pulled(
  engine: ContainerEngine,
  name: string,
  progress: Progress,
  until: AbortSignal | undefined,
): Promise<Inspected> {
  if (ID.test(name)) throw new KilnError("usage", `the engine has no image ${name}`, { mend: "Name one that it has." });
  progress.step(`pulling ${name}`);
  const result = await dockerCall(engine, ["pull", "--quiet", name], { allowFailure: true, withinMs: PULL_MS, until });
  const found = result.code === 0 ? await inspect(engine, name) : undefined;
  if (found !== undefined) return found;
  throw new KilnError("unreachable", `${name} cannot be pulled: ${lastLines(result.stderr, 2)}`, {
    mend: "Check the name; bring up its registry (`npm run up` for a loopback one), or log in to it with `docker login`.",
  });
}
