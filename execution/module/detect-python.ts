import { innerPath, present, projectFields, refused, type ProjectSource } from "./files.ts";
import { PYTHON_MANAGERS, type PythonManager, type PythonModule } from "./kind.ts";
import { textOption } from "./pulumi-project.ts";

const LOCK_FILES: Readonly<Record<PythonManager, readonly string[]>> = {
  pip: ["requirements.txt"],
  uv: ["uv.lock"],
  poetry: ["poetry.lock"],
};

const SETTINGS = ["pyproject.toml", "poetry.toml", "uv.toml", ".python-version", "constraints.txt", "setup.cfg"];

/**
 * A Python module. The toolchain that the project's options name, else whose lock file is there, else pip with
 * requirements.txt or pyproject.toml.
 */
export function pythonModule(source: ProjectSource): PythonModule {
  const { files } = source;
  const packageManager =
    textOption(source.project, "toolchain", source.where, PYTHON_MANAGERS) ?? managerOfFiles(source);
  const [lockFile] = present(files, LOCK_FILES[packageManager]);
  const hasManifest = files.names.has("pyproject.toml");
  if (lockFile === undefined && !hasManifest) {
    throw refused(
      source,
      `a python module for ${packageManager} without ${LOCK_FILES[packageManager].join(", ")} or pyproject.toml`,
      "Write down what it needs: `pulumi` at least.",
    );
  }
  const key = "runtime.options.virtualenv";
  const virtualenv = innerPath(source, key, textOption(source.project, "virtualenv", source.where) ?? ".venv");
  if (virtualenv === "") throw refused(source, `${key} is the module itself`, "Name a folder of its own.");
  const notes =
    lockFile === undefined ? [`no ${LOCK_FILES[packageManager].join(", ")}: each build takes the newest versions`] : [];
  return {
    ...projectFields(source, notes),
    runtime: "python",
    packageManager,
    lockFile,
    manifests: present(files, [...(lockFile === undefined ? [] : [lockFile]), ...SETTINGS]),
    local: isLocal(source, packageManager, lockFile),
    virtualenv,
  };
}

function managerOfFiles(source: ProjectSource): PythonManager {
  const locked = (["uv", "poetry"] as const).filter((name) => present(source.files, LOCK_FILES[name]).length > 0);
  if (locked.length > 1) {
    throw refused(
      source,
      "the toolchain is ambiguous: there are uv.lock and poetry.lock",
      "Set runtime.options.toolchain.",
    );
  }
  if (locked[0] !== undefined) return locked[0];
  const isPoetry = /^\[tool\.poetry\]/m.test(source.files.texts.get("pyproject.toml") ?? "");
  return isPoetry && !source.files.names.has("requirements.txt") ? "poetry" : "pip";
}

/** Whether the module itself, or a file that requirements.txt names, is part of what is installed. */
function isLocal(source: ProjectSource, manager: PythonManager, lockFile: string | undefined): boolean {
  const { texts } = source.files;
  if (manager !== "pip") {
    return /\b(path|workspace)\s*=|^\[tool\.uv\.workspace\]/m.test(texts.get("pyproject.toml") ?? "");
  }
  if (lockFile === undefined) return true;
  return LOCAL_REQUIREMENT.test(texts.get(lockFile) ?? "");
}

/** Options that name files, and requirements that are files: `./x`, `libs/x`, `x.whl`, `name[extra] @ file:…`. */
const LOCAL_REQUIREMENT =
  /^\s*(-[ercf]\b|--(editable|requirement|constraint|find-links)\b|\.|file:|[\w.-]+\/|[\w.-]+\.(whl|zip|tar\.gz)\b|[\w.-]+(\[[^\]\n]*\])?\s*@\s*file:)/m;
