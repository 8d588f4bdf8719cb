import { isMap, isTextMap } from "../../cache/document.ts";
import type { PinnedImage } from "../../registry/image-reference.ts";

/** What a seal is made of: a signature, a list of what is inside, and how it came to be. Each is a statement of its own. */
export const PARTS = ["signature", "sbom", "provenance"] as const;

export type SealPart = (typeof PARTS)[number];

/**
 * What each part's statement is of. That of the signature is the one by which cosign 3 and later know their own, so that a plain
 * `cosign verify` takes it.
 */
export const PREDICATES: Readonly<Record<SealPart, string>> = {
  signature: "https://sigstore.dev/cosign/sign/v1",
  sbom: "https://spdx.dev/Document",
  provenance: "https://slsa.dev/provenance/v1",
};

const STATEMENT = "https://in-toto.io/Statement/v1";

/** What somebody says of an image (in-toto attestation framework, v1). */
export interface Statement {
  readonly _type: typeof STATEMENT;
  readonly subject: readonly { readonly name?: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
}

/** A statement about exactly one image. The same arguments give the same text. */
export function statementOf(
  part: SealPart,
  image: PinnedImage,
  predicate: Readonly<Record<string, unknown>>,
): Statement {
  return subjectStatement(image, PREDICATES[part], predicate);
}

/** The same of any kind. */
export function subjectStatement(
  { repository, digest }: PinnedImage,
  predicateType: string,
  predicate: Readonly<Record<string, unknown>>,
): Statement {
  return {
    _type: STATEMENT,
    subject: [{ name: repository, digest: { sha256: hexOf(digest) } }],
    predicateType,
    predicate,
  };
}

/** The statement in a text; nothing where it is none. */
export function parseStatement(text: string): Statement | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isMap(found) || found._type !== STATEMENT || typeof found.predicateType !== "string") return undefined;
  const { subject, predicate = {} } = found;
  const subjects = Array.isArray(subject) && subject.every((one) => isMap(one) && isTextMap(one.digest));
  if (!subjects || !isMap(predicate)) return undefined;
  return { ...found, predicate } as unknown as Statement;
}

/** The part of a seal that a statement is; nothing where it is of something else. */
export function partOf({ predicateType }: Statement): SealPart | undefined {
  return PARTS.find((part) => PREDICATES[part] === predicateType);
}

/** Whether a statement is about an image. Its name is left aside: a promoted image has another, and the same digest. */
export function isAbout({ subject }: Statement, digest: string): boolean {
  return subject.length === 1 && subject[0]?.digest.sha256 === hexOf(digest);
}

/** A digest without its algorithm. */
export function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "");
}
