import { KilnError } from "../../errors.ts";

const PART = /\*\*\/?|\*|\?|\+|\\.|\[[^\]]+\]|[\s\S]/g;

/**
 * Whether a tag starts a workflow with these patterns of `on.push.tags`, GitHub's: `*` stops at a slash, `**` does not, `?`
 * and `+` are about the character before, `[ ]` is a set, and a later `!` pattern takes back (docs: "Filter pattern cheat sheet").
 */
export function matchesTags(tag: string, patterns: readonly string[]): boolean {
  return patterns.reduce((matched, pattern) => {
    if (!pattern.startsWith("!")) return matched || expressionOf(pattern).test(tag);
    return matched && !expressionOf(pattern.slice(1)).test(tag);
  }, false);
}

function expressionOf(pattern: string): RegExp {
  const source = (pattern.match(PART) ?? []).map((part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?" || part === "+" || part.startsWith("[")) return part;
    return part.replace(/^\\(.)$/s, "$1").replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source.join("")}$`);
  } catch (cause) {
    throw new KilnError("usage", `the tag pattern "${pattern}" cannot be read`, {
      mend: 'See GitHub\'s "Filter pattern cheat sheet".',
      cause,
    });
  }
}
