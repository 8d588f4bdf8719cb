import { createHash } from "node:crypto";
import type { Program } from "../programs.ts";

/** Far below what file systems take, with room for what makes a name unique. */
const LONGEST = 160;

type Named = Pick<Program, "provider" | "module" | "directory">;

/**
 * The command of each program, by directory: what Pulumi.yaml has as `runtime.options.binary`. It is `<provider>-<module>`;
 * with the parts of the path that differ where several would have that name, and a digest of the path where that is not
 * enough. Names are unique among `programs`, safe in a shell, and do not depend on the order.
 */
export function commandNames(programs: readonly Named[]): ReadonlyMap<string, string> {
  const plain = Map.groupBy(programs, ({ provider, module }) => safeName(`${provider}-${module}`));
  const taken = new Set(plain.keys());
  const longer = [...plain].flatMap(([name, members]) =>
    members.length === 1 ? [] : withDifferingParts(name, members),
  );
  const usable = Map.groupBy(longer, ([, name]) => name);
  const names = new Map<string, string>();
  for (const [name, [only]] of plain) if (only !== undefined) names.set(only.directory, name);
  for (const [directory, name] of longer) {
    const isUnique = usable.get(name)?.length === 1 && !taken.has(name);
    names.set(directory, isUnique ? name : `${name}-${digestOf(directory)}`);
  }
  return names;
}

function withDifferingParts(name: string, members: readonly Named[]): readonly (readonly [string, string])[] {
  const paths = members.map(({ directory }) => directory.split("/"));
  const start = sharedLength(paths);
  const end = sharedLength(paths.map((parts) => parts.slice(start).toReversed()));
  return members.map(({ directory }, index) => {
    const parts = paths[index] ?? [];
    return [directory, safeName([name, ...parts.slice(start, parts.length - end)].join("-"))];
  });
}

/** How many parts all lists begin with. */
function sharedLength(lists: readonly (readonly string[])[]): number {
  const [first = []] = lists;
  const length = first.findIndex((part, index) => lists.some((list) => list[index] !== part));
  return length < 0 ? first.length : length;
}

function safeName(text: string): string {
  const safe = text.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return safe === "" ? "program" : safe.slice(0, LONGEST);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
