import { KilnError } from "../../errors.ts";
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

/** A path of the project file below the module, cleaned; refuses one that leads out of it, or that a shell would take apart. */
export function innerPath(source: ProjectSource, key: string, value: string): string {
  const segments = value.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (value.startsWith("/") || segments.includes("..")) {
    throw refused(source, `${key} is ${value}, which is outside of the module`, "Name a path below the module.");
  }
  if (!segments.every((segment) => /^[\w.@+-]+$/.test(segment))) {
    throw refused(source, `${key} is ${JSON.stringify(value)}`, "Use letters, digits, dots, dashes and slashes.");
  }
  return segments.join("/");
}
