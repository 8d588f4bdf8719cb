import { programVersion, type ModuleBases } from "./bases.ts";
import { copiedFiles, networkRun, type ModuleStages } from "./dockerfile-parts.ts";
import type { PythonModule } from "./kind.ts";
import { plainWord } from "./plain-word.ts";

/** Python: a virtual environment below the module, filled as the lock file says. It is moved nowhere, since its paths are absolute. */
export function pythonStages(kind: PythonModule, bases: ModuleBases): ModuleStages {
  const environment = `/app/${plainWord("virtualenv", kind.virtualenv)}`;
  const install = networkRun(installCommands(kind, environment, bases));
  return {
    base: "python",
    build: "python",
    steps: kind.local ? ["COPY . .", ...install] : [copiedFiles(kind.manifests), ...install, "COPY . ."],
    environment: { PATH: `${environment}/bin:\${PATH}`, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1" },
  };
}

function installCommands(kind: PythonModule, environment: string, bases: ModuleBases): readonly string[] {
  const { packageManager, lockFile } = kind;
  const create = `python3 -m venv ${environment}`;
  const pip = `${environment}/bin/pip install --no-cache-dir --disable-pip-version-check`;
  if (packageManager === "pip") return [create, lockFile === undefined ? `${pip} .` : `${pip} -r ${lockFile}`];
  const program = `${packageManager}==${programVersion(bases, packageManager)}`;
  const manager = [
    "python3 -m venv /opt/manager",
    `/opt/manager/bin/pip install --no-cache-dir --disable-pip-version-check ${program}`,
  ];
  if (packageManager === "uv") {
    return [
      ...manager,
      `export UV_PROJECT_ENVIRONMENT=${environment} UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1`,
      `/opt/manager/bin/uv sync --no-dev --no-install-project${lockFile === undefined ? "" : " --frozen"}`,
    ];
  }
  return [
    ...manager,
    create,
    // Poetry installs into the environment that is active.
    `export VIRTUAL_ENV=${environment} PATH=${environment}/bin:/opt/manager/bin:$PATH POETRY_NO_INTERACTION=1`,
    "poetry install --only main --no-root --no-cache",
  ];
}
