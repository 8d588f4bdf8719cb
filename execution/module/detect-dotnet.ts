import { projectFields, refused, type ProjectSource } from "./files.ts";
import type { DotnetModule } from "./kind.ts";

/** A .NET module: its one project file says the version and the name of the assembly. */
export function dotnetModule(source: ProjectSource): DotnetModule {
  const projects = [...source.files.names].filter((name) => /\.(cs|fs|vb)proj$/.test(name)).sort();
  const [buildFile] = projects;
  if (buildFile === undefined || projects.length > 1) {
    const seen = projects.length === 0 ? "without .csproj, .fsproj or .vbproj" : `with ${projects.join(" and ")}`;
    throw refused(source, `a dotnet module ${seen}`, "Keep exactly one project file beside Pulumi.yaml.");
  }
  const text = source.files.texts.get(buildFile) ?? "";
  const version = /<TargetFramework>\s*net(\d+\.\d+)\s*<\/TargetFramework>/.exec(text)?.[1];
  if (version === undefined) {
    throw refused(source, `${buildFile} has no <TargetFramework> such as net9.0`, "Set it; one framework, not a list.");
  }
  const assembly = /<AssemblyName>\s*([\w.-]+)\s*<\/AssemblyName>/.exec(text)?.[1] ?? buildFile.replace(/\.\w+$/, "");
  if (!/^[\w.-]+$/.test(assembly))
    throw refused(source, `the name ${buildFile}`, "Use letters, digits, dots and dashes.");
  const lockFile = source.files.names.has("packages.lock.json") ? "packages.lock.json" : undefined;
  const notes = lockFile === undefined ? ["no packages.lock.json: each build resolves its packages again"] : [];
  return { ...projectFields(source, notes), runtime: "dotnet", buildFile, version, assembly, lockFile };
}
