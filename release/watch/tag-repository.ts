/** An annotated tag to make. */
export interface TagRequest {
  readonly name: string;
  /** One that this repository gave: of a branch or of a tag. */
  readonly commit: string;
  /** Says why, for whoever meets the tag. */
  readonly message: string;
}

/** A tag as the repository has it. */
export interface KnownTag {
  readonly name: string;
  /** What its name leads to: the object of an annotated tag, or the commit itself. */
  readonly object: string;
  /** The commit behind it. */
  readonly commit: string;
  /** When it was made, in milliseconds since 1970; nothing for a lightweight one, which does not say. */
  readonly made: number | undefined;
  /** Empty for a lightweight one. */
  readonly message: string;
}

/** Where release tags are: a remote by Git, or GitHub's API. */
export interface TagRepository {
  /** As people know it: an address, or `owner/name`. */
  readonly name: string;
  /** The names of all release tags, by the repository itself, not by what was fetched once. */
  readTags(): Promise<readonly string[]>;
  /** One tag. Throws where there is no such tag any more. */
  readTag(name: string): Promise<KnownTag>;
  /** The commit at the head of a branch. Throws where there is no such branch. */
  readHead(branch: string): Promise<string>;
  /** Makes a tag. `there`: somebody made it in the meantime, and it is left alone. Throws where it cannot be made. */
  push(tag: TagRequest): Promise<"pushed" | "there">;
  /** Removes a tag. `changed`: it is another one by now, and is left alone. Throws where it cannot be removed. */
  remove(tag: Pick<KnownTag, "name" | "object">): Promise<"removed" | "gone" | "changed">;
}
