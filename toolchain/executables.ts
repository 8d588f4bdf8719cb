import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
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

/** The machine codes of ELF headers (gabi, e_machine), by Go's names. */
const MACHINES: Readonly<Record<string, number>> = { amd64: 0x3e, arm64: 0xb7 };

/** Whether a file is a Linux program for a platform such as `linux-arm64`. */
export async function isBuiltFor(file: string, platform: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0);
    const isElf = bytesRead === 20 && buffer.subarray(0, 4).equals(Buffer.from("\x7fELF", "latin1"));
    return isElf && buffer.readUInt16LE(18) === MACHINES[platform.replace(/^linux-/, "")];
  } finally {
    await handle.close();
  }
}
