import { parseDocument } from "yaml";

/** A commit at which a file changed. Dates are ISO 8601. */
export interface FileVersion {
  /** All digits of the commit. */
  readonly commit: string;
  /** When it came onto the branch, and when its author wrote it. */
  readonly committed: string;
  readonly authored: string;
  readonly subject: string;
  /** The file at that commit; nothing where the commit deleted it. */
  readonly text: string | undefined;
}

/** A warm image that a stack's file named for some time. */
export interface NamedImage {
  /** `repository@sha256:…`. */
  readonly warmImage: string;
  /** The commit that wrote it. */
  readonly commit: string;
  readonly since: string;
  /** When another, or none, took its place; nothing for the present one. */
  readonly until?: string;
  readonly authored: string;
  readonly subject: string;
}

/** Characters of a commit that people are shown. */
const SHOWN = 7;

/** A commit as a person reads it in a line. */
export function shortCommit(commit: string): string {
  return commit.slice(0, SHOWN);
}

/**
 * The warm images that a file named, the newest first as its versions are. One that came back after another counts twice; a
 * commit that changed something else of the file does not count. Pure.
 */
export function namedImages(versions: readonly FileVersion[]): readonly NamedImage[] {
  const found: NamedImage[] = [];
  const images = versions.map(({ text }) => warmImageIn(text));
  for (const [index, { commit, committed, authored, subject }] of versions.entries()) {
    const warmImage = images[index];
    if (warmImage === undefined || images[index + 1] === warmImage) continue;
    // Above are the commits that left the image as it is; the next one above those ended it.
    const until = versions[images.findLastIndex((other, at) => at < index && other !== warmImage)]?.committed;
    const ended = until === undefined ? {} : { until };
    found.push({ warmImage, commit, since: committed, ...ended, authored, subject });
  }
  return found;
}

/** The warm image that a stack file's text names; nothing where there is none, or where the text is no YAML. */
export function warmImageIn(text: string | undefined): string | undefined {
  const document = parseDocument(text ?? "");
  const found: unknown = document.errors.length === 0 ? document.getIn(["config", "kiln:warmImage"]) : undefined;
  return typeof found === "string" ? found : undefined;
}
