import type { Program } from "../programs.ts";

/** A program as the package that it is built from. */
export interface ProgramPackage {
  readonly program: Program;
  readonly importPath: string;
  /** The path in the go.mod that governs it. */
  readonly modulePath: string;
  /** Its `//go:debug` settings, sorted. */
  readonly debug: readonly string[];
}

/** Programs that one binary can hold. */
export interface ProgramGroup<T extends ProgramPackage = ProgramPackage> {
  /** The directory of their go.mod, relative to the source. */
  readonly goModule: string;
  /** Where in that module a package stands that may import them all; empty for its root. */
  readonly home: string;
  readonly debug: readonly string[];
  readonly members: readonly T[];
}

/**
 * Parts programs into those that can be linked together: of one go.mod, with the same `//go:debug` settings, and importable
 * from one place where they stand below `internal` folders. Groups and their members are in the order of the directories.
 */
export function programGroups<T extends ProgramPackage>(packages: readonly T[]): readonly ProgramGroup<T>[] {
  const sorted = packages.toSorted((a, b) => (a.program.directory < b.program.directory ? -1 : 1));
  const alike = Map.groupBy(sorted, ({ program, debug }) => JSON.stringify([program.goModule, debug]));
  return [...alike.values()].flatMap(partByHome);
}

function partByHome<T extends ProgramPackage>(members: readonly T[]): readonly ProgramGroup<T>[] {
  const [first] = members;
  if (first === undefined) return [];
  // The deepest place is below all those that it can serve.
  const homes = members.map(homeOf).sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const home = homes[0] ?? first.modulePath;
  const isReached = (member: T) => `${home}/`.startsWith(`${homeOf(member)}/`);
  const { goModule } = first.program;
  const inModule = home.slice(first.modulePath.length + 1);
  const group = { goModule, home: inModule, debug: first.debug, members: members.filter(isReached) };
  return [group, ...partByHome(members.filter((member) => !isReached(member)))];
}

/** The import path at and below which a package may be imported: the parent of its last `internal` (go.dev/s/go14internal). */
function homeOf({ importPath, modulePath }: ProgramPackage): string {
  const parts = importPath.split("/");
  const parent = parts.slice(0, Math.max(0, parts.lastIndexOf("internal"))).join("/");
  return parent.length > modulePath.length ? parent : modulePath;
}
