import { KilnError } from "../errors.ts";

const HOST = /(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::\d{1,5})?/.source;
const PATH = /[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*/.source;
const REPOSITORY = `(?:${HOST}/)?${PATH}(?:/${PATH})*`;
const TAG = /[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}/.source;
const DIGEST = /sha256:[0-9a-f]{64}/.source;

const TAG_ALONE = new RegExp(`^${TAG}$`);
const PINNED = new RegExp(`^(${REPOSITORY})@(${DIGEST})$`);
const REFERENCE = new RegExp(`^(${REPOSITORY})(?::(${TAG}))?(?:@(${DIGEST}))?$`);

/** An image by the digest of its content: what is verified, promoted and run. */
export interface PinnedImage {
  /** With its registry: `ghcr.io/owner/name/base-images/iac-runner-warm`. */
  readonly repository: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
}

/** An image reference taken apart. */
export interface ImageReference {
  /** With its registry. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Takes `registry/repository[:tag][@sha256:…]` apart. Throws a usage error on any other text. */
export function parseReference(text: string): ImageReference {
  const [, repository, tag, digest] = REFERENCE.exec(text) ?? [];
  if (repository === undefined) {
    throw new KilnError("usage", `"${text}" is not an image reference`, {
      mend: "Write registry/repository, with :tag or @sha256:digest where one is asked for.",
    });
  }
  return { repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** `repository@digest` where there is a digest, else `repository:tag`. */
export function formatReference({ repository, tag, digest }: ImageReference): string {
  return digest === undefined ? `${repository}:${tag ?? "latest"}` : `${repository}@${digest}`;
}

/** The host of a repository: what stands before its first slash. */
export function registryHost(repository: string): string {
  return repository.split("/", 1)[0] ?? repository;
}

/** The parts of `repository@sha256:…`; nothing for any other text, a tag before the digest included. */
export function parsePinnedImage(reference: string): PinnedImage | undefined {
  const [, repository, digest] = PINNED.exec(reference) ?? [];
  return repository === undefined || digest === undefined ? undefined : { repository, digest };
}

/** The first twelve digits of a digest, or of that of `repository@sha256:…`: enough for people to tell images apart. */
export function shortDigest(text: string): string {
  return text.replace(/^.*sha256:/, "").slice(0, 12);
}

/** Whether a text can stand after the colon of an image name. */
export function isTag(text: string): boolean {
  return TAG_ALONE.test(text);
}

/** Whether a text is any image reference: with or without registry, tag and digest. */
export function isImageReference(text: string): boolean {
  return REFERENCE.test(text);
}

/** The tag under which registries without the referrers API list what is attached to an image (OCI 1.1 fallback tag). */
export function referrersTag(digest: string): string {
  return digest.replace(":", "-");
}
