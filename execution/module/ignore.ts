import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseDockerIgnore, type DockerIgnore } from "../../toolchain/plugins/docker-provider/docker-ignore.ts";
import type { ModuleKind } from "./kind.ts";

/**
 * What never belongs into an image of a module: what its build makes itself, version control, and state, which has secrets.
 * A module's `.dockerignore` comes after these lines, so it can bring something back with `!`.
 */
export const BUILT_IN_RULES: readonly string[] = [
  "**/.git",
  "**/node_modules",
  "**/__pycache__",
  "**/*.pyc",
  "**/.venv",
  "**/.terraform",
  "**/.tofu",
  "**/*.tfstate",
  "**/*.tfstate.*",
  ".pulumi",
  ".kiln",
];

/** Files that steer a build and that no module reads. */
const OF_THE_BUILD = new Set([".dockerignore", "Dockerfile.dockerignore"]);

/**
 * What is left out of a module's image: the rules above, what its kind's build makes, the rules of its `.dockerignore`, and
 * that file itself.
 */
export async function readModuleIgnore(directory: string, kind: ModuleKind): Promise<DockerIgnore> {
  const text = await readFile(path.join(directory, ".dockerignore"), "utf8").catch(() => "");
  return moduleIgnore(text, builtFolders(kind));
}

/** Folders that the build of a kind makes anew; a developer's own would not fit the image. */
function builtFolders(kind: ModuleKind): readonly string[] {
  switch (kind.runtime) {
    case "python":
      return [kind.virtualenv];
    case "dotnet":
      return ["bin", "obj"];
    case "java":
      return kind.packageManager === "maven" ? ["target"] : ["build", ".gradle"];
    case "nodejs":
    case "go":
    case "yaml":
    case "hcl":
      return [];
  }
}

/** The same from the text of a `.dockerignore`. */
export function moduleIgnore(text: string, built: readonly string[] = []): DockerIgnore {
  const rules = parseDockerIgnore([...BUILT_IN_RULES, ...built, text.replace(/^\uFEFF/, "")].join("\n"));
  return {
    ignores: (file) => OF_THE_BUILD.has(file) || rules.ignores(file),
    prunes: (directory) => rules.prunes(directory),
  };
}
