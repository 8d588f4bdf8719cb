/** What a `.dockerignore` keeps out of a build context. Paths are relative to the context, with `/`, without a leading one. */
export interface DockerIgnore {
  ignores(path: string): boolean;
  /** Whether nothing below an ignored directory can come back through a later `!` line, so that it need not be read. */
  prunes(directory: string): boolean;
}

interface Rule {
  readonly pattern: string;
  readonly matcher: RegExp;
  readonly readmits: boolean;
}

/**
 * Reads the text of a `.dockerignore`: the last rule that matches a path or one of its parents decides, and `!` brings
 * back. After moby's `patternmatcher`, whose rules differ from those of git.
 */
export function parseDockerIgnore(text: string): DockerIgnore {
  const rules = text.split(/\r?\n/).flatMap(ruleOf);
  return {
    ignores(path) {
      const family = withParents(path);
      return rules.reduce((ignored, rule) => {
        return rule.readmits === ignored && family.some((member) => rule.matcher.test(member)) ? !ignored : ignored;
      }, false);
    },
    prunes(directory) {
      return !rules.some((rule) => rule.readmits && couldMatchBelow(rule.pattern, directory));
    },
  };
}

function ruleOf(line: string): Rule[] {
  const text = line.trim();
  if (text === "" || line.startsWith("#")) return [];
  const readmits = text.startsWith("!");
  const pattern = cleanPath(readmits ? text.slice(1).trim() : text);
  return pattern === "" ? [] : [{ pattern, matcher: matcherOf(pattern), readmits }];
}

/** `./a//b/../c/` is `a/c`; a leading slash means nothing. */
function cleanPath(pattern: string): string {
  const kept: string[] = [];
  for (const segment of pattern.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === ".." && kept.length > 0) kept.pop();
    else kept.push(segment);
  }
  return kept.join("/");
}

/** `*` and `?` stay inside a segment, `**` crosses any number of them, `[…]` is a class and `\` takes the next as it is. */
function matcherOf(pattern: string): RegExp {
  const tokens = pattern.matchAll(/\*\*\/?|\*|\?|\\.|\[[^\]]+\]|[^*?\\[]+|./gs);
  const source = [...tokens].map(([token]) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.startsWith("[") && token.endsWith("]")) return token;
    return literal(token.startsWith("\\") && token.length > 1 ? token.slice(1) : token);
  });
  return new RegExp(`^${source.join("")}$`, "s");
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function withParents(path: string): string[] {
  const segments = path.split("/");
  return segments.map((_, index) => segments.slice(0, index + 1).join("/"));
}

/** Errs towards reading a directory: a wildcard in the pattern's first segments could match anywhere below. */
function couldMatchBelow(pattern: string, directory: string): boolean {
  const wanted = pattern.split("/");
  for (const [index, segment] of directory.split("/").entries()) {
    const own = wanted[index];
    if (own === undefined || /[*?[\\]/.test(own)) return true;
    if (own !== segment) return false;
  }
  return true;
}
