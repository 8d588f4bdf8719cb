import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { dotnetModule } from "./detect-dotnet.ts";
import { goModule } from "./detect-go.ts";
import { javaModule } from "./detect-java.ts";
import { nodejsModule } from "./detect-nodejs.ts";
import { pythonModule } from "./detect-python.ts";
import type { ModuleFiles } from "./files.ts";
import type { ModuleKind, PulumiModule, TofuModule } from "./kind.ts";
import { parsePulumiProject } from "./pulumi-project.ts";

const PROJECT_FILES = ["Pulumi.yaml", "Pulumi.yml"] as const;
const TOFU_FILES = /\.(tf|tofu|tf\.json|tofu\.json)$/;

/** What Pulumi itself takes for the name of a project. */
const PROJECT_NAME = /^[A-Za-z0-9_.-]{1,100}$/;

/** Files that detection reads; of all others only their names count. */
const READ =
  /^(Pulumi\.ya?ml|package\.json|\.yarnrc(\.yml)?|requirements\.txt|pyproject\.toml|pom\.xml|build\.gradle(\.kts)?|.*\.(cs|fs|vb)proj)$/;

/** What the module in a directory is. Throws a usage error that says what was found where that is nothing or several things. */
export async function detectModule(directory: string): Promise<ModuleKind> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new KilnError("usage", `${directory} cannot be read: ${messageOf(cause)}`, {
      mend: "Name the directory of a Pulumi project or an OpenTofu module.",
      cause,
    });
  });
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const texts = new Map<string, string>();
  for (const name of names) {
    if (READ.test(name)) texts.set(name, await readFile(path.join(directory, name), "utf8"));
  }
  return detectKind({ names: new Set(names), texts }, directory);
}

/** The same of files that were read already. The order of the files does not matter. */
export function detectKind(files: ModuleFiles, where: string): ModuleKind {
  const projects = PROJECT_FILES.filter((name) => files.names.has(name));
  const configurations = [...files.names].filter((name) => TOFU_FILES.test(name)).sort();
  if (projects.length + Math.min(configurations.length, 1) > 1) {
    throw ambiguous(where, [...projects, ...configurations], "keep one of them, or name the directory of one module");
  }
  const [project] = projects;
  if (project !== undefined) return pulumiModule(files, project, where);
  if (configurations.length > 0) return tofuModule(files);
  throw new KilnError("usage", `${where} is no module: it has neither Pulumi.yaml nor .tf files`, {
    mend: `Name the directory of a Pulumi project or an OpenTofu module. Found there: ${found(files.names)}.`,
  });
}

function pulumiModule(files: ModuleFiles, projectFile: string, where: string): PulumiModule {
  const at = path.join(where, projectFile);
  const project = parsePulumiProject(files.texts.get(projectFile) ?? "", at);
  if (!PROJECT_NAME.test(project.name)) {
    throw new KilnError("usage", `${at}: name is ${JSON.stringify(project.name)}`, {
      mend: "Use at most 100 letters, digits, dots, dashes and underlines, as Pulumi wants it.",
    });
  }
  const source = { files, project, projectFile, where: at };
  switch (project.runtime) {
    case "nodejs":
      return nodejsModule(source);
    case "python":
      return pythonModule(source);
    case "go":
      return goModule(source);
    case "dotnet":
      return dotnetModule(source);
    case "java":
      return javaModule(source);
    case "yaml":
      return { tool: "pulumi", runtime: "yaml", project: project.name, projectFile, notes: [] };
    default:
      throw new KilnError("usage", `${at} has the runtime ${project.runtime}, which kiln has no image for`, {
        mend: "It has them for nodejs, python, go, dotnet, java and yaml.",
      });
  }
}

function tofuModule(files: ModuleFiles): TofuModule {
  const lockFile = files.names.has(".terraform.lock.hcl") ? ".terraform.lock.hcl" : undefined;
  const notes = lockFile === undefined ? ["no .terraform.lock.hcl: each build takes the newest allowed providers"] : [];
  return { tool: "opentofu", runtime: "hcl", lockFile, notes };
}

function ambiguous(where: string, names: readonly string[], mend: string): KilnError {
  return new KilnError("usage", `${where} is ambiguous: it has ${names.join(" and ")}`, { mend: `${mend}.` });
}

function found(names: ReadonlySet<string>): string {
  const sorted = [...names].sort();
  const shown = sorted.slice(0, 8).join(", ");
  return sorted.length === 0 ? "no files" : sorted.length > 8 ? `${shown} and ${sorted.length - 8} more` : shown;
}
