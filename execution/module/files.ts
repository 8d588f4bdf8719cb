import { KilnError } from "../../errors.ts";
import { BUILD_FOLDER } from "./context.ts";
import { isPlainPath } from "./plain-word.ts";
import type { PulumiProjectFile } from "./pulumi-project.ts";

/** The files at the top of a module: every name, and the text of those that decide what it is. */
export interface ModuleFiles {
  readonly names: ReadonlySet<string>;
  readonly texts: ReadonlyMap<string, string>;
}

/** A Pulumi module on the way to its kind. */
export interface ProjectSource {
  readonly files: ModuleFiles;
  readonly project: PulumiProjectFile;
  readonly projectFile: string;
  /** The project file, for people. */
  readonly where: string;
}

/** What every kind of Pulumi module has of its project. */
export function projectFields(source: ProjectSource, notes: readonly string[]) {
  return { tool: "pulumi" as const, project: source.project.name, projectFile: source.projectFile, notes };
}

/** Those of `names` that the module has, sorted. */
export function present(files: ModuleFiles, names: readonly string[]): readonly string[] {
  return names.filter((name) => files.names.has(name)).sort();
}

/** An error for a module that cannot be told from what it has. */
export function refused(source: ProjectSource, what: string, mend: string): KilnError {
  return new KilnError("usage", `${source.where}: ${what}`, { mend });
}

/**
 * A path that a module's files say, cleaned. Refuses one that leads out of the module or to nowhere below it, one that a
 * shell would take apart, and the folder that a build uses and removes.
 */
export function innerPath(source: ProjectSource, key: string, value: string): string {
  const segments = value.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (value.startsWith("/") || segments.includes("..")) {
    throw refused(source, `${key} is ${value}, which is outside of the module`, "Name a path below the module.");
  }
  if (segments[0] === BUILD_FOLDER) {
    throw refused(source, `${key} is ${value}, where kiln puts what a build adds`, "Name another folder.");
  }
  const cleaned = segments.join("/");
  if (cleaned === "" || isPlainPath(cleaned)) return cleaned;
  throw refused(
    source,
    `${key} is ${JSON.stringify(value)}`,
    "Use letters, digits, dots, dashes and slashes; begin with no dash.",
  );
}
