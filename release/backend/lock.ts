import { readdir, readFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse } from "yaml";
import { KilnError } from "../../errors.ts";
import { markOf } from "../../toolchain/lock.ts";
import { run } from "../../toolchain/process.ts";
import { parseStateAddress, type StateAddress } from "./address.ts";

/** Who holds a stack's lock, as Pulumi wrote it into the backend. */
export interface StackLock {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  /** What can be said of the holder from here. A machine of another name cannot be asked. */
  readonly holder: "runs here" | "ended" | "elsewhere";
}

export interface LockQuery {
  /** The backend's URL, as `pulumi whoami` says it. */
  readonly url: string;
  /** The Pulumi project of the stack. */
  readonly project: string;
  readonly stack: string;
  /** The folder of the Pulumi project. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The locks of a stack in a file or bucket backend. A bucket is read by its vendor's command line. */
export async function readLocks(query: LockQuery): Promise<readonly StackLock[]> {
  const folder = `.pulumi/locks/organization/${query.project}/${query.stack}`;
  if (/^https?:/.test(query.url)) {
    throw new KilnError("usage", `${query.url} keeps its locks by itself`, {
      mend: `\`pulumi cancel --stack ${query.stack}\` ends the update that holds one.`,
    });
  }
  const texts = query.url.startsWith("file:")
    ? await fileTexts(path.join(fileDirectory(query.url), folder))
    : await bucketTexts(parseStateAddress(query.url), folder, query.env);
  return texts.map((text) => parseLock(text, { host: hostname(), runs: (pid) => markOf(pid) !== undefined }));
}

/** What a lock's text says of its holder, seen from a machine. Throws where it is no lock of Pulumi's. */
export function parseLock(
  text: string,
  here: { readonly host: string; readonly runs: (pid: number) => boolean },
): StackLock {
  const { pid, username, hostname: host, timestamp } = fieldsOf(text);
  if (typeof pid !== "number" || typeof host !== "string") {
    throw new KilnError("failed", `a lock of the stack is not Pulumi's: ${text.slice(0, 120)}`, {
      mend: "Look at it by hand; `pulumi cancel` removes every lock of a stack.",
    });
  }
  const holder = host !== here.host ? "elsewhere" : here.runs(pid) ? "runs here" : "ended";
  return { user: String(username), host, pid, since: String(timestamp), holder };
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(text) as object | null) };
  } catch {
    return {};
  }
}

/** The directory of a file backend's URL: `file:///srv/state`, or with `~` for the home directory. */
function fileDirectory(url: string): string {
  const [address = ""] = url.replace(/^file:\/\/~(?=\/|$)/, pathToFileURL(homedir()).href).split("?");
  if (address.startsWith("file:///")) return fileURLToPath(address);
  throw new KilnError("usage", `${url} is no absolute path`, { mend: "Log in with file:/// and a whole path." });
}

async function fileTexts(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return Promise.all(
    names.filter((name) => name.endsWith(".json")).map((name) => readFile(path.join(directory, name), "utf8")),
  );
}

/** The commands by which a vendor lists a folder's keys, as a JSON list, and prints one of them. Pure. */
export function bucketCommands(
  state: StateAddress,
  folder: string,
): { readonly list: readonly [string, ...string[]]; readonly read: (key: string) => readonly [string, ...string[]] } {
  const prefix = `${state.prefix === "" ? "" : `${state.prefix}/`}${folder}/`;
  switch (state.kind) {
    case "s3": {
      const region = state.region === undefined ? [] : ["--region", state.region];
      const query = ["--query", "Contents[].Key", "--output", "json"];
      return {
        list: ["aws", "s3api", "list-objects-v2", "--bucket", state.bucket, "--prefix", prefix, ...query, ...region],
        read: (key) => ["aws", "s3", "cp", `s3://${state.bucket}/${key}`, "-", ...region],
      };
    }
    case "gs":
      return {
        list: ["gcloud", "storage", "objects", "list", `gs://${state.bucket}/${prefix}**`, "--format=json(name)"],
        read: (key) => ["gcloud", "storage", "cat", `gs://${state.bucket}/${key}`],
      };
    case "azblob": {
      const at = ["--account-name", state.account, "--container-name", state.container, "--auth-mode", "login"];
      return {
        list: ["az", "storage", "blob", "list", ...at, "--prefix", prefix, "--query", "[].name", "--output", "json"],
        read: (key) => ["az", "storage", "blob", "download", ...at, "--name", key, "--no-progress", "--output", "none"],
      };
    }
  }
}

async function bucketTexts(state: StateAddress, folder: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const commands = bucketCommands(state, folder);
  const print = async ([program, ...args]: readonly [string, ...string[]]) =>
    (await run(program, args, { env })).stdout;
  const text = (await print(commands.list)).trim();
  const listed: unknown = JSON.parse(text === "" ? "[]" : text);
  const keys = (Array.isArray(listed) ? listed : []).map((entry: string | { readonly name: string }) =>
    typeof entry === "string" ? entry : entry.name,
  );
  const texts: string[] = [];
  for (const key of keys.filter((name) => name.endsWith(".json"))) texts.push(await print(commands.read(key)));
  return texts;
}

/** The name of the Pulumi project in a folder. */
export async function readProjectName(folder: string): Promise<string> {
  const { name } = parse(await readFile(path.join(folder, "Pulumi.yaml"), "utf8")) as { readonly name: string };
  return name;
}

/**
 * Removes the locks of a stack where every holder was of this machine and has ended. Returns whether there were such.
 */
export async function removeLocksOfTheDead(query: LockQuery): Promise<boolean> {
  const locks = await readLocks(query);
  if (locks.length === 0 || locks.some(({ holder }) => holder !== "ended")) return false;
  await removeLocks(query, locks);
  return true;
}

/**
 * Removes every lock of a stack, by `pulumi cancel`. Throws a difference where a holder still runs on this machine: two
 * updates at once write over each other's state.
 */
export async function removeLocks(query: LockQuery, locks: readonly StackLock[]): Promise<void> {
  const running = locks.find(({ holder }) => holder === "runs here");
  if (running) {
    throw new KilnError(
      "difference",
      `process ${running.pid} of this machine holds the lock of ${query.stack} and still runs`,
      {
        mend: `Wait for it, or end it: \`kill -INT ${running.pid}\`. Pulumi then gives the lock back by itself.`,
      },
    );
  }
  await run("pulumi", ["cancel", "--yes", "--stack", query.stack, "--non-interactive"], {
    cwd: query.directory,
    env: { ...query.env, PULUMI_BACKEND_URL: query.url },
  });
  if ((await readLocks(query)).length > 0) {
    throw new KilnError("difference", `stack ${query.stack} is locked again: somebody started an update meanwhile`, {
      mend: "Wait for it.",
    });
  }
}
