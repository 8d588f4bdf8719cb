import { KilnError } from "../errors.ts";

/** What a pattern read out of a directory's path. */
export interface PatternMatch {
  readonly provider: string;
  readonly module: string;
}

export interface ModulePattern {
  readonly text: string;
  /** Leading folders without wildcards: nothing outside them can match. */
  readonly root: string;
  match(directory: string): PatternMatch | undefined;
}

/**
 * Compiles a pattern such as `apis/**` + `/provider/{provider}/{module}/*` + `/iac`: `{provider}` and `{module}` each stand for
 * one path segment and are read out, `*` is any part of a segment, `**` any number of segments. Directories are relative,
 * with `/` between segments. Throws a usage error that names the pattern's fault.
 */
export function modulePattern(text: string): ModulePattern {
  const fault = (what: string) =>
    new KilnError("usage", `the module pattern "${text}" ${what}`, {
      mend: 'Write a path below the source with {provider} and {module}, such as "examples/modules/{provider}/{module}".',
    });
  const segments = text.replace(/^\.\//, "").replace(/\/+$/, "").split("/");
  if (text.trim() === "" || text.startsWith("/")) throw fault("is not a path below the source");
  if (segments.includes("..") || segments.includes("")) throw fault('has an empty segment or ".."');
  for (const placeholder of text.match(/\{[^}]*\}?/g) ?? []) {
    if (placeholder !== "{provider}" && placeholder !== "{module}")
      throw fault(`has an unknown placeholder ${placeholder}`);
  }
  for (const placeholder of ["{provider}", "{module}"]) {
    const count = text.split(placeholder).length - 1;
    if (count !== 1) throw fault(`must name ${placeholder} once, not ${count} times`);
  }

  const joined = segments.map(segmentExpression).join("/");
  const expression = new RegExp(`^${joined.replaceAll(".+/", "(?:[^/]+/)*").replace(/\/\.\+$/, "(?:/[^/]+)*")}$`);
  const wild = segments.findIndex((segment) => /[*{]/.test(segment));
  return {
    text,
    root: segments.slice(0, wild).join("/"),
    match(directory) {
      const groups = expression.exec(directory)?.groups;
      const { provider, module } = groups ?? {};
      return provider === undefined || module === undefined ? undefined : { provider, module };
    },
  };
}

function segmentExpression(segment: string): string {
  if (segment === "**") return ".+";
  return segment
    .split(/(\{provider\}|\{module\}|\*)/)
    .map((part) => {
      if (part === "{provider}") return "(?<provider>[^/]+?)";
      if (part === "{module}") return "(?<module>[^/]+?)";
      if (part === "*") return "[^/]*";
      return part.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
    })
    .join("");
}

const GLOB_PARTS = new Map([
  ["**/", "(?:.*/)?"],
  ["**", ".*"],
  ["*", "[^/]*"],
]);

/** Whether a path matches a glob of `*`, `**` and literals, as `--allow-failed` takes it. */
export function matchesGlob(glob: string, directory: string): boolean {
  const expression = glob
    .split(/((?<![^/])\*\*\/|\*\*|\*)/)
    .map((part) => GLOB_PARTS.get(part) ?? part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join("");
  return new RegExp(`^${expression}$`).test(directory);
}
