import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";

/** Where Debian keeps programs of the administrator, which need not be on everyone's PATH. */
const SYSTEM = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Every executable of this name on PATH, in its order. Relative entries of PATH are not searched. */
export async function executablesOnPath(name: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const directories = (env.PATH ?? "").split(path.delimiter).filter((directory) => path.isAbsolute(directory));
  const found: string[] = [];
  for (const file of new Set(directories.map((directory) => path.join(directory, name)))) {
    if (await isExecutable(file)) found.push(file);
  }
  return found;
}

/** The first executable of this name on PATH or among the system's programs. */
export async function findExecutable(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const PATH = [env.PATH ?? "", ...SYSTEM].join(path.delimiter);
  return (await executablesOnPath(name, { PATH }))[0];
}

/** Whether this is a file that may be executed. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
