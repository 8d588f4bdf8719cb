import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readDigest, type RegistryClient } from "../../registry/client.ts";
import { readImage, type Image } from "../../registry/compose.ts";
import { formatReference, type PinnedImage } from "../../registry/image-reference.ts";
import type { SignaturePolicy } from "../../settings/signatures.ts";
import { factsOf, readBase, readIndex } from "./build-facts.ts";
import { attachBundle, readBundles } from "./bundle.ts";
import type { Notary, Signer } from "./cosign.ts";
import { packagesIn, type Package } from "./package.ts";
import { commitsIn, provenanceOf, type BuildFacts } from "./provenance.ts";
import { policyText, readSealState, readSoundPart } from "./seal-faults.ts";
import { spdxDocument } from "./spdx.ts";
import { PREDICATES, statementOf, type SealPart } from "./statement.ts";

export interface SealOptions {
  readonly client: RegistryClient;
  readonly notary: Notary;
  readonly signer: Signer;
  /** Who the stack says must have signed. */
  readonly policy: SignaturePolicy;
  readonly stack: string;
  readonly facts: BuildFacts;
  /** Whether provenance has to name the commits of `facts`, so that an image that was taken again has one for each build. */
  readonly thisCommit?: boolean;
  /** Reads what is inside an image, layer by layer. */
  readonly readPackages: (repository: string, image: Image) => Promise<readonly Package[]>;
  readonly progress: Progress;
}

/** What an image's seal consists of now: the referrer of each part, and which parts are new. */
export interface Sealed {
  readonly image: string;
  readonly parts: Readonly<Partial<Record<SealPart, string>>>;
  readonly added: readonly SealPart[];
}

/**
 * Seals an image by its digest, and of an index its images before it: list of packages, provenance and, last, the signature,
 * each attached, read back by its digest and verified as the stack demands. A part that stands already stays: the same command
 * again adds nothing.
 */
export async function seal(options: SealOptions, target: PinnedImage): Promise<readonly Sealed[]> {
  const { client } = options;
  if ((await readDigest(client, target)) === undefined) {
    throw new KilnError("difference", `there is no ${formatReference(target)}`, {
      mend: "Push it before it is sealed.",
    });
  }
  const index = await readIndex(client, target);
  const sealed: Sealed[] = [];
  for (const digest of index?.children ?? []) {
    sealed.push(...(await seal(options, { repository: target.repository, digest })));
  }
  return [...sealed, await sealOne(options, target, index ?? (await readImage(client, target)))];
}

/** An image, or the manifest of an index. */
type Content = Parameters<typeof factsOf>[3];

async function sealOne(options: SealOptions, target: PinnedImage, content: Content): Promise<Sealed> {
  const { progress } = options;
  const isIndex = "children" in content;
  const parts: Partial<Record<SealPart, string>> = {};
  const added: SealPart[] = [];
  const standing = await readSealState(options, target);
  for (const { image, part, bundle } of standing.sound) {
    if (image.digest === target.digest) parts[part] = bundle.digest;
  }
  if (options.thisCommit === true && parts.provenance !== undefined) {
    const own = await readSoundPart(options, target, "provenance", (predicate) => isOf(options.facts, predicate));
    if (own === undefined) delete parts.provenance;
    else parts.provenance = own.digest;
  }
  // The signature last: what is signed has all the rest.
  const order: readonly SealPart[] = isIndex ? ["provenance", "signature"] : ["sbom", "provenance", "signature"];
  for (const part of order.filter((one) => parts[one] === undefined)) {
    progress.step(`${part === "signature" ? "signing" : `attaching the ${part} of`} ${formatReference(target)}`);
    const predicate = await predicateOf(options, target, content, part);
    parts[part] = await attach(options, target, part, predicate);
    added.push(part);
  }
  if (added.length > 0) await requireOwnSeal(options, target);
  return { image: formatReference(target), parts, added };
}

/** Whether a provenance names all commits that were built here. */
function isOf({ materials }: BuildFacts, predicate: Readonly<Record<string, unknown>>): boolean {
  const named = commitsIn(predicate);
  return materials.every(({ digest }) => digest.gitCommit === undefined || named.includes(digest.gitCommit));
}

/** What one part says of an image. */
async function predicateOf(
  options: SealOptions,
  target: PinnedImage,
  content: Content,
  part: SealPart,
): Promise<Readonly<Record<string, unknown>>> {
  const { client, facts } = options;
  if (part === "signature") return {};
  if (part === "provenance" || "children" in content) {
    return provenanceOf(await factsOf(client, facts, target, content));
  }
  const packages =
    (await packagesBelow(options, target, content)) ?? (await options.readPackages(target.repository, content));
  return spdxDocument({ image: target, created: content.config.created, version: facts.version }, packages);
}

/** Signs one part, attaches it unless it is not what the stack demands, and reads it back by its digest. */
async function attach(
  { client, notary, signer, policy, stack }: SealOptions,
  target: PinnedImage,
  part: SealPart,
  predicate: Readonly<Record<string, unknown>>,
): Promise<string> {
  const predicateType = PREDICATES[part];
  const text = await notary.sign(JSON.stringify(statementOf(part, target, predicate)), signer);
  const fault = await notary.faultOf(text, { digest: target.digest, predicateType }, policy);
  if (fault !== undefined) {
    throw new KilnError("difference", `who signs here is not whom stack ${stack} demands: ${fault}`, {
      mend: `Sign as ${policyText(policy)}, or correct kiln:signatures. Nothing was attached.`,
    });
  }
  const digest = await attachBundle(client, target, text, predicateType);
  const back = (await readBundles(client, target)).bundles.find((bundle) => bundle.digest === digest);
  if (back?.text === text) return digest;
  throw new KilnError("difference", `${formatReference(target)} does not give back its ${part}, ${digest}`, {
    mend: "Run the command again; if it stays so, the registry changes or hides what is attached.",
  });
}

/** Throws where the seal does not stand as it is in the registry now: no promotion would take it. */
async function requireOwnSeal(options: SealOptions, target: PinnedImage): Promise<void> {
  const [fault] = (await readSealState(options, target)).faults;
  if (fault === undefined) return;
  throw new KilnError("difference", `${formatReference(target)} was sealed, but it ${fault}`, {
    mend: "Run the command again; if it stays so, find out who else writes to that repository.",
  });
}

/**
 * What is inside a runner image, by the sealed list of the warm image that it is built from: their layers are the same, so they
 * need not be read again. Nothing where they are not, or where that list does not stand.
 */
async function packagesBelow(
  options: SealOptions,
  target: PinnedImage,
  image: Image,
): Promise<readonly Package[] | undefined> {
  const { client } = options;
  const below = await readBase(client, target, image);
  if (below === undefined || (await readDigest(client, below)) === undefined) return undefined;
  const { config } = await readImage(client, below);
  if (config.rootfs.diff_ids.join() !== image.config.rootfs.diff_ids.join()) return undefined;
  const { sound } = await readSealState(options, below);
  const list = sound.find(({ part }) => part === "sbom")?.bundle.statement.predicate;
  return packagesIn(list);
}
