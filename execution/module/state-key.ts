import { randomBytes, scrypt } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
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
  const passphrase = passphraseOf(env);
  return passphrase === "" ? keyOfFile(path.join(directory, "key")) : keyOfPassphrase(passphrase, folder);
}

/** Whether KILN_STATE_PASSPHRASE is set. */
export function hasPassphrase(env: NodeJS.ProcessEnv): boolean {
  return passphraseOf(env) !== "";
}

function passphraseOf({ KILN_STATE_PASSPHRASE: passphrase = "" }: NodeJS.ProcessEnv): string {
  return passphrase;
}

async function keyOfPassphrase(passphrase: string, folder: string): Promise<Buffer> {
  const file = path.join(folder, "salt");
  const fresh: Salt = { kdf: "scrypt", ...COST, salt: randomBytes(16).toString("base64") };
  const salt = JSON.parse(
    await readOrMake(file, `${JSON.stringify(fresh)}\n`, async () => {
      if (!(await exists(path.join(folder, "state.json")))) return;
      throw new KilnError("failed", `${file} is missing, which made the key of the state beside it`, {
        mend: "Put it back from a backup. Where the state was written without a passphrase, unset KILN_STATE_PASSPHRASE.",
      });
    }),
  ) as Salt;
  return derived(passphrase, salt);
}

/**
 * The key that KILN_STATE_PASSPHRASE makes without a state directory; undefined where it is not set. The stack's name is the
 * salt: two runs that share no file come to the same key, and no other stack does.
 */
export async function passphraseKey(stack: string, env: NodeJS.ProcessEnv): Promise<Buffer | undefined> {
  const passphrase = passphraseOf(env);
  if (passphrase === "") return undefined;
  return derived(passphrase, saltOf(stack));
}

/** The `salt` file by which a state directory comes to the same key. */
export function passphraseSalt(stack: string): string {
  return `${JSON.stringify(saltOf(stack))}\n`;
}

function saltOf(stack: string): Salt {
  return { kdf: "scrypt", ...COST, salt: Buffer.from(`kiln-state-key/v1|${stack}`).toString("base64") };
}

function derived(passphrase: string, { N, r, p, salt }: Salt): Promise<Buffer> {
  const options = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFC"), Buffer.from(salt, "base64"), KEY_BYTES, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

async function keyOfFile(file: string): Promise<Buffer> {
  const fresh = `${randomBytes(KEY_BYTES).toString("base64")}\n`;
  const text = await readOrMake(file, fresh, () => refuseUnreadable(file));
  const key = Buffer.from(text, "base64");
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

/** A new key beside states would make them unreadable in silence: they were written with another, or by a passphrase. */
async function refuseUnreadable(file: string): Promise<void> {
  const directory = path.dirname(file);
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    if (!(await exists(path.join(directory, name, "state.json")))) continue;
    throw new KilnError("failed", `${file} is missing, but there is state that needs a key: ${name}/state.json`, {
      mend: "Put the key file back from a backup, or set the KILN_STATE_PASSPHRASE that the state was written with. New stacks without either go into another directory.",
    });
  }
}

/** Reads a file; makes it where it is missing and `check` has nothing against that. */
async function readOrMake(file: string, text: string, check: () => Promise<void>): Promise<string> {
  const found = await readIfThere(file);
  if (found !== undefined) return found;
  try {
    await check();
  } catch (refusal) {
    // Another process may have made the file, and then the state, while this one looked.
    const late = await readIfThere(file);
    if (late !== undefined) return late;
    throw refusal;
  }
  await writeFirst(file, text);
  return readFile(file, "utf8");
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether there is something of that name, also where it cannot be read. */
async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
