/** An annotated tag to make. */
export interface TagRequest {
  readonly name: string;
  /** One that this repository gave: of a branch or of a tag. */
  readonly commit: string;
  /** Says why, for whoever meets the tag. */
  readonly message: string;
}

/** Where release tags are: a remote by Git, or GitHub's API. */
export interface TagRepository {
  /** As people know it: an address, or `owner/name`. */
  readonly name: string;
  /** The names of all release tags, by the repository itself, not by what was fetched once. */
  readTags(): Promise<readonly string[]>;
  /** When an annotated tag was made, in milliseconds since 1970; nothing for a lightweight one, which does not say. */
  readTime(tag: string): Promise<number | undefined>;
  /** The commit behind a tag. Throws where there is no such tag any more. */
  readCommit(tag: string): Promise<string>;
  /** The commit at the head of a branch. Throws where there is no such branch. */
  readHead(branch: string): Promise<string>;
  /** Makes a tag. `there`: somebody made it in the meantime, and it is left alone. Throws where it cannot be made. */
  push(tag: TagRequest): Promise<"pushed" | "there">;
}
