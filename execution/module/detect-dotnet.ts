import { projectFields, refused, type ProjectSource } from "./files.ts";
import type { DotnetModule } from "./kind.ts";
import { isPlainName } from "./plain-word.ts";

/** A .NET module: its one project file says the version and the name of the assembly. */
export function dotnetModule(source: ProjectSource): DotnetModule {
  const projects = [...source.files.names].filter((name) => /\.(cs|fs|vb)proj$/.test(name)).sort();
  const [buildFile] = projects;
  if (buildFile === undefined || projects.length > 1) {
    const seen = projects.length === 0 ? "without .csproj, .fsproj or .vbproj" : `with ${projects.join(" and ")}`;
    throw refused(source, `a dotnet module ${seen}`, "Keep exactly one project file beside Pulumi.yaml.");
  }
  requirePlain(source, "the project file's name", buildFile);
  requireSources(source);
  const text = source.files.texts.get(buildFile) ?? "";
  const version = /<TargetFramework>\s*net(\d+\.\d+)\s*<\/TargetFramework>/.exec(text)?.[1];
  if (version === undefined) {
    throw refused(source, `${buildFile} has no <TargetFramework> such as net9.0`, "Set it; one framework, not a list.");
  }
  const assembly = /<AssemblyName>([^<]*)</.exec(text)?.[1]?.trim() ?? buildFile.replace(/\.\w+$/, "");
  requirePlain(source, `<AssemblyName> of ${buildFile}`, assembly);
  const lockFile = source.files.names.has("packages.lock.json") ? "packages.lock.json" : undefined;
  const notes = lockFile === undefined ? ["no packages.lock.json: each build resolves its packages again"] : [];
  return { ...projectFields(source, notes), runtime: "dotnet", buildFile, version, assembly, lockFile };
}

function requirePlain(source: ProjectSource, what: string, name: string): void {
  if (isPlainName(name)) return;
  throw refused(
    source,
    `${what} is ${JSON.stringify(name)}`,
    "Use letters, digits, dots and dashes, and begin with no dash.",
  );
}

/** Pulumi asks no program that is compiled already for its providers, so a build could not fetch them. */
function requireSources({ project, ...source }: ProjectSource): void {
  if (project.options.binary === undefined) return;
  throw refused(
    { project, ...source },
    "runtime.options.binary names a compiled program",
    "Leave it away: the image compiles the module's sources, and runs that.",
  );
}
