import type { Reuse } from "../../cache/reuse.ts";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { PinnedImage } from "../../registry/image-reference.ts";
import { attachBundle, readBundles } from "./bundle.ts";
import type { Signer } from "./cosign.ts";
import type { SealCheck } from "./seal-faults.ts";
import { isAbout, subjectStatement, type Statement } from "./statement.ts";

/** What a statement is of by which a signer vouches for something that is taken again. Its predicate is `{ tag }`. */
export const REUSE_PREDICATE = "urn:kiln:reuse:v1";

export interface VouchedReuseOptions extends SealCheck {
  /** Who signs here; asked for when the first thing is to be signed. Throws where there is nobody. */
  readonly signer: () => Promise<Signer>;
  readonly progress: Progress;
}

/**
 * Takes what a policy's signer vouches for, and vouches for what is made. The tag is signed as well as the digest: what stood under
 * another, such as the base of last year, does not stand for this one. Nor does a seal, or the commit in a provenance: whoever may push
 * can copy any sealed image under any tag.
 */
export function vouchedReuse(options: VouchedReuseOptions): Reuse {
  const { progress } = options;
  return {
    takes: async (image, tag) => {
      const fault = await orUnknown(() => vouchFault(options, image, tag));
      if (fault !== undefined) progress.note(`${image.repository}:${tag} is made anew and not taken: it ${fault}`);
      return fault === undefined;
    },
    vouch: async (image, tag) => {
      const fault = await orUnknown(() => signed(options, image, tag));
      if (fault !== undefined)
        progress.note(`${image.repository}:${tag} will be made anew by the next job: it ${fault}`);
    },
  };
}

/** What keeps an image from standing under a tag; others may attach what they like beside what vouches for it. */
async function vouchFault(
  { client, notary, policy }: VouchedReuseOptions,
  image: PinnedImage,
  tag: string,
): Promise<string | undefined> {
  const { digest } = image;
  const { bundles } = await readBundles(client, image);
  const faults: string[] = [];
  for (const { text, statement } of bundles) {
    if (!vouchesFor(statement, digest, tag)) continue;
    const fault = await notary.faultOf(text, { digest, predicateType: REUSE_PREDICATE }, policy);
    if (fault === undefined) return undefined;
    faults.push(`has a signature that does not stand: ${fault}`);
  }
  return faults[0] ?? "has no signature for that tag";
}

function vouchesFor(statement: Statement, digest: string, tag: string): boolean {
  return statement.predicateType === REUSE_PREDICATE && isAbout(statement, digest) && statement.predicate.tag === tag;
}

/** Signs and attaches, unless somebody vouches already; gives what kept it from that. */
async function signed(options: VouchedReuseOptions, image: PinnedImage, tag: string): Promise<string | undefined> {
  const { client, notary, policy } = options;
  if ((await vouchFault(options, image, tag)) === undefined) return undefined;
  const signer = await options.signer();
  // What an issuer vouches for stands in a public log: who chose a key may not want that.
  if ((signer.kind === "key") !== (policy.kind === "key")) return `cannot be signed here as ${policy.kind}`;
  const statement = subjectStatement(image, REUSE_PREDICATE, { tag });
  const text = await notary.sign(JSON.stringify(statement), signer);
  const fault = await notary.faultOf(text, { digest: image.digest, predicateType: REUSE_PREDICATE }, policy);
  if (fault !== undefined) return `was not signed as the stack demands: ${fault}`;
  await attachBundle(client, image, text, REUSE_PREDICATE);
  return undefined;
}

/** What is wrong, or why nobody can say here: then nothing is taken, and all can still be made. */
async function orUnknown(fault: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await fault();
  } catch (error) {
    if (error instanceof KilnError) return `is not known to be signed: ${error.message}`;
    throw error;
  }
}
