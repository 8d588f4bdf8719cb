import { isMap } from "../../cache/document.ts";
import { KilnError } from "../../errors.ts";
import type { RegistryClient } from "../../registry/client.ts";
import { formatReference, type PinnedImage } from "../../registry/image-reference.ts";
import { readStoredManifest } from "../../registry/stored-manifest.ts";
import type { SignaturePolicy } from "../../settings/signatures.ts";
import { readBundles, type AttachedBundle } from "./bundle.ts";
import type { Notary } from "./cosign.ts";
import { packagesIn } from "./package.ts";
import { BUILD_TYPE } from "./provenance.ts";
import { isAbout, PARTS, partOf, PREDICATES, type SealPart, type Statement } from "./statement.ts";

/** What verifying a seal needs. */
export interface SealCheck {
  readonly client: RegistryClient;
  readonly notary: Notary;
  readonly policy: SignaturePolicy;
}

/** A part of an image's seal that stands, and the digest of the referrer that it is in. */
export interface SoundPart {
  readonly image: PinnedImage;
  readonly part: SealPart;
  readonly bundle: AttachedBundle;
}

/** How it stands with an image's seal: what of it stands, and what is wrong, as ends of a sentence. */
export interface SealState {
  readonly sound: readonly SoundPart[];
  readonly faults: readonly string[];
}

/** An index lists no packages of its own: its images do. */
const INDEX_PARTS = ["signature", "provenance"] as const;

const NAMES: Readonly<Record<SealPart, string>> = {
  signature: "signature",
  sbom: "list of packages (SBOM)",
  provenance: "provenance",
};

/**
 * Verifies the seal of an image by its digest: each part is there, about this very image, and signed by whom the policy names. Of
 * an index also those of all its images.
 */
export async function readSealState(check: SealCheck, image: PinnedImage): Promise<SealState> {
  const stored = await readStoredManifest(check.client, image);
  if (stored === undefined) return { sound: [], faults: ["is not in its registry"] };
  const own = await readPartStates(check, image, stored.children.length > 0 ? INDEX_PARTS : PARTS);
  const [sound, faults] = [[...own.sound], [...own.faults]];
  for (const digest of stored.children) {
    const below = await readSealState(check, { repository: image.repository, digest });
    sound.push(...below.sound);
    faults.push(...below.faults.map((fault) => `lists ${digest}, which ${fault}`));
  }
  return { sound, faults };
}

async function readPartStates(check: SealCheck, image: PinnedImage, parts: readonly SealPart[]): Promise<SealState> {
  const attached = await readBundles(check.client, image);
  const sound: SoundPart[] = [];
  const faults: string[] = [];
  for (const part of parts) {
    const candidates = attached.bundles.filter(({ statement }) => partOf(statement) === part);
    const found = await firstSound(check, image, part, candidates);
    if (found.bundle !== undefined) sound.push({ image, part, bundle: found.bundle });
    else faults.push(...(found.faults.length > 0 ? found.faults : [`has no ${NAMES[part]}`]));
  }
  return { sound, faults: faults.length > 0 ? [...faults, ...attached.faults] : [] };
}

/** The first bundle that is a part of an image's seal, or why none is: others may attach what they like beside it. */
async function firstSound(
  check: SealCheck,
  image: PinnedImage,
  part: SealPart,
  candidates: readonly AttachedBundle[],
): Promise<{ readonly bundle?: AttachedBundle; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  let unknown: KilnError | undefined;
  for (const bundle of candidates) {
    try {
      const fault = await partFault(check, image, part, bundle);
      if (fault === undefined) return { bundle, faults: [] };
      faults.push(`has a ${NAMES[part]} that does not stand (${bundle.digest}): ${fault}`);
    } catch (error) {
      // What one bundle makes of a verification keeps no other from being looked at.
      if (!(error instanceof KilnError) || error.kind !== "unreachable") throw error;
      unknown ??= error;
    }
  }
  if (unknown !== undefined) throw unknown;
  return { faults };
}

/** What keeps a bundle from being a part of an image's seal. Who signed it is asked last: that takes a process. */
async function partFault(
  { notary, policy }: SealCheck,
  { digest }: PinnedImage,
  part: SealPart,
  { text, statement }: AttachedBundle,
): Promise<string | undefined> {
  if (!isAbout(statement, digest)) return "it is about another image";
  const content = contentFault(part, statement.predicate);
  if (content !== undefined) return content;
  return notary.faultOf(text, { digest, predicateType: PREDICATES[part] }, policy);
}

/** What is wrong with what a part says. */
function contentFault(part: SealPart, predicate: Readonly<Record<string, unknown>>): string | undefined {
  if (part === "signature") return undefined;
  if (part === "sbom") return (packagesIn(predicate) ?? []).length > 0 ? undefined : "it lists no package";
  const { buildDefinition, runDetails } = predicate;
  const builder = isMap(runDetails) ? runDetails.builder : undefined;
  if (!isMap(builder) || typeof builder.id !== "string" || builder.id === "") return "it names no builder";
  const type = isMap(buildDefinition) ? buildDefinition.buildType : undefined;
  return type === BUILD_TYPE ? undefined : `it is of a build of type ${JSON.stringify(type)}`;
}

/** The first part of an image's own seal that stands and says what is asked for; nothing where none does. */
export async function readSoundPart(
  check: SealCheck,
  image: PinnedImage,
  part: SealPart,
  says: (predicate: Statement["predicate"]) => boolean,
): Promise<AttachedBundle | undefined> {
  const { bundles } = await readBundles(check.client, image);
  const candidates = bundles.filter(({ statement }) => partOf(statement) === part && says(statement.predicate));
  return (await firstSound(check, image, part, candidates)).bundle;
}

/** The sound parts of an image's seal. Throws a difference that names what is missing or wrong, and what to do. */
export async function requireSeal(check: SealCheck, image: PinnedImage, stack: string): Promise<readonly SoundPart[]> {
  const { sound, faults } = await readSealState(check, image);
  if (faults.length === 0) return sound;
  const reference = formatReference(image);
  throw new KilnError("difference", `${reference} is not sealed for stack ${stack}: it ${faults.join("; it ")}`, {
    mend:
      `The workflow that bakes it seals it: \`npx kiln release seal --stack ${stack} --image ${reference}\`. ` +
      "If somebody else signed it, find out who, or correct kiln:signatures of the stack.",
  });
}

/** A policy in words: who must have signed. */
export function policyText(policy: SignaturePolicy): string {
  return policy.kind === "key" ? `the key ${policy.key}` : `${policy.identities.join(" or ")} (${policy.issuer})`;
}
