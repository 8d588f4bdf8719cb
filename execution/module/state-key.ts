import { randomBytes, scrypt } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { writeFirst } from "../whole-file.ts";

const KEY_BYTES = 32;
/** What OWASP recommends for scrypt (2024): 128 MB, about half a second, once a run. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;

interface Salt {
  readonly kdf: "scrypt";
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
}

/**
 * The 32 bytes that a stack's state is encrypted with: from KILN_STATE_PASSPHRASE and the stack's `salt` file where that is
 * set, else from `key` in the state directory. Either file is made on first need; the key file must be its owner's alone.
 */
export async function stateKey(directory: string, folder: string, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const passphrase = env.KILN_STATE_PASSPHRASE ?? "";
  return passphrase === "" ? keyOfFile(path.join(directory, "key")) : keyOfPassphrase(passphrase, folder);
}

async function keyOfPassphrase(passphrase: string, folder: string): Promise<Buffer> {
  const file = path.join(folder, "salt");
  const fresh: Salt = { kdf: "scrypt", ...COST, salt: randomBytes(16).toString("base64") };
  const { N, r, p, salt } = JSON.parse(await readOrMake(file, `${JSON.stringify(fresh)}\n`)) as Salt;
  const options = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFC"), Buffer.from(salt, "base64"), KEY_BYTES, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

async function keyOfFile(file: string): Promise<Buffer> {
  const key = Buffer.from(await readOrMake(file, `${randomBytes(KEY_BYTES).toString("base64")}\n`), "base64");
  const mode = (await stat(file)).mode & 0o077;
  if (mode !== 0) {
    throw new KilnError("usage", `${file} can be read by others`, {
      mend: `chmod 600 ${file}, and think of what it protects as seen.`,
    });
  }
  if (key.length === KEY_BYTES) return key;
  throw new KilnError("failed", `${file} is no key: it has ${key.length} bytes, not ${KEY_BYTES}`, {
    mend: "Put the key back that the state was encrypted with.",
  });
}

async function readOrMake(file: string, text: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await writeFirst(file, text);
    return readFile(file, "utf8");
  }
}
