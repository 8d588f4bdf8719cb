/** A tag has at most 128 characters, and a key tells apart what a name cannot. */
const NAME_CHARACTERS = 80;

/** A name as far as a tag can say it. */
export function tagName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .slice(0, NAME_CHARACTERS);
}
