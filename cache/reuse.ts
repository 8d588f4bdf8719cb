import type { PinnedImage } from "../registry/image-reference.ts";

/**
 * Whether what an earlier job left in a registry under a tag may be taken. Whoever may push there can put anything under a tag: where a
 * stack demands signatures, only what its signer vouches for is taken, and all else is made anew. Each refusal is a line of progress.
 */
export interface Reuse {
  /** A base, a shard or a finished warm image that was vouched for under this very tag. */
  readonly takes: (image: PinnedImage, tag: string) => Promise<boolean>;
  /** Signs that an image was made here to stand under a tag. Where nobody can sign, a line says so, and it is made anew again. */
  readonly vouch: (image: PinnedImage, tag: string) => Promise<void>;
}
