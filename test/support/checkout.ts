import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { stackFile } from "../../settings.ts";
import { LOCAL_STACKS } from "../../toolchain/local-stacks.ts";
import { interruptWithUs } from "./interrupted-with-us.ts";

export const PROJECT = path.join(import.meta.dirname, "../..");

/** Three programs of two providers that import little: what shard, Dockerfile and failure tests compile. */
export const FIXTURE = path.join(PROJECT, "test/fixtures/programs");
export const FIXTURE_PATTERN = "{provider}/{module}";

const LEFT_OUT = ["node_modules", ".git", ".kiln"];

export interface KilnResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A copy of this project that `kiln` runs in as a user's clone does: its own state, its own registry port. */
export interface Checkout {
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** `localhost:port` of its loopback registry. */
  readonly registry: string;
}

/** Makes a copy with its own state and a free port. `store` keeps compiled packages between test runs. */
export async function makeCheckout(options: { readonly store?: string } = {}): Promise<Checkout> {
  const root = await mkdtemp(path.join(tmpdir(), "kiln-e2e-"));
  const directory = path.join(root, "kiln");
  const filter = (file: string) => !LEFT_OUT.includes(path.relative(PROJECT, file).split(path.sep)[0] ?? "");
  await cp(PROJECT, directory, { recursive: true, filter });
  await symlink(path.join(PROJECT, "node_modules"), path.join(directory, "node_modules"));
  if (options.store !== undefined) {
    await mkdir(options.store, { recursive: true });
    await mkdir(path.join(directory, ".kiln"));
    await symlink(options.store, path.join(directory, ".kiln/store"));
  }
  const registry = `localhost:${await freePort()}`;
  for (const stack of LOCAL_STACKS) {
    const file = path.join(directory, stackFile(stack));
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/localhost:\d+/, registry).replace(/^ +kiln:warmImage: .*\n/m, ""));
  }
  return { directory, registry, env: { KILN_STATE_DIR: path.join(root, "state") } };
}

/** Takes a checkout away; `kiln down` must have run in it. */
export async function removeCheckout(checkout: Checkout): Promise<void> {
  await rm(path.dirname(checkout.directory), { recursive: true, force: true });
}

export interface KilnOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Sees progress as it comes. */
  readonly onStderr?: (text: string, pid: number) => void;
  /** In a process group of its own, interrupted when this process is or ends. */
  readonly interruptWithUs?: boolean;
}

/** Runs `kiln` in a checkout and gives its end, whatever it is. */
export function kiln(checkout: Checkout, args: readonly string[], options: KilnOptions = {}): Promise<KilnResult> {
  const child = spawn(process.execPath, [path.join(checkout.directory, "cli/kiln.mjs"), ...args], {
    cwd: checkout.directory,
    env: { ...process.env, ...checkout.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: options.interruptWithUs === true,
  });
  if (options.interruptWithUs === true) interruptWithUs(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, child.pid ?? 0);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
}

/** A TCP port of loopback that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
