/** What was found out about one release tag and its images. Times are in milliseconds since 1970. */
export interface Finding {
  /** The commit behind the tag. */
  readonly commit: string;
  /** What Git has under the tag's name: another one after it was deleted and pushed again. */
  readonly object: string;
  /** When the tag was made; nothing where it does not say. */
  readonly begun: number | undefined;
  /** How often the watcher has pushed it; nothing where somebody else did. */
  readonly attempt: number | undefined;
  /** Images that are asked for and are not there as this tag's: `repository:tag`, with what is there in its place. */
  readonly missing: readonly string[];
  /** Since when all images are there; nothing where that was not asked, or not answered. */
  readonly since: number | undefined;
  /** Why the registry did not say; nothing where it did. */
  readonly fault: string | undefined;
}

/** What the watcher writes into a tag: why, and how often it has pushed it. */
export function tagMessage(reason: string, attempt: number): string {
  return `${OWN}${reason}\n\nAttempt: ${attempt}`;
}

/** How often the watcher has pushed the tag with this message; nothing where it is not the watcher's. */
export function attemptIn(message: string): number | undefined {
  if (!message.startsWith(OWN)) return undefined;
  return Number(/^Attempt: (\d{1,3})$/m.exec(message)?.[1] ?? 1);
}

const OWN = "Pushed by kiln watch: ";
