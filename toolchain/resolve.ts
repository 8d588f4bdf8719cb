import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { silent, type Progress } from "../progress.ts";
import { buildFromProxy } from "./build-from-proxy.ts";
import { download } from "./download.ts";
import { executablesOnPath, isBuiltFor, isExecutable } from "./executables.ts";
import { fetchGoToolchain, unpackGoToolchain } from "./go-toolchain.ts";
import { withLock } from "./lock.ts";
import { pins as pinned, platformName, type GoToolchain, type Pin, type Pins, type Tool } from "./pins.ts";
import type { Places } from "./places.ts";
import { run } from "./process.ts";

/** The route by which a tool first reached this machine; it stays the same when the tool is found again later. */
export type ToolSource = "path" | "download" | "built" | "go-toolchain";

export interface ResolvedTool {
  readonly name: Tool;
  readonly version: string;
  /** The binary. */
  readonly path: string;
  /** GOROOT for Go; for the others the directory that the binary came in, with what belongs to it. */
  readonly root: string;
  readonly source: ToolSource;
}

export interface ResolveOptions {
  readonly places: Places;
  readonly progress?: Progress;
  /** The environment whose PATH is searched; the caller's own when absent. */
  readonly env?: NodeJS.ProcessEnv;
  readonly pins?: Pins;
  /** What the tool shall run on, as the pins name it (`linux-arm64`); this machine when absent. */
  readonly platform?: string;
}

type Settled = Required<ResolveOptions>;

const resolved = new Map<string, Promise<ResolvedTool>>();

/**
 * Finds a pinned tool, or gets it: the same version on PATH, else kiln's own cache, else the official download, else a
 * build from the Go module proxy. Throws a KilnError where no route serves, or where a download has the wrong checksum.
 */
export function resolveTool(name: Tool, options: ResolveOptions): Promise<ResolvedTool> {
  const settled = settle(options);
  const { places, env, platform } = settled;
  const key = [name, places.cache, env.PATH, settled.pins[name].version, platform].join("\0");
  const running = resolved.get(key) ?? resolve(name, settled);
  resolved.set(key, running);
  running.catch(() => resolved.delete(key));
  return running;
}

/** Resolves several tools, one after the other: they share the network and the processor. */
export async function resolveTools<T extends Tool>(
  names: readonly T[],
  options: ResolveOptions,
): Promise<Readonly<Record<T, ResolvedTool>>> {
  const found: Partial<Record<T, ResolvedTool>> = {};
  for (const name of names) found[name] = await resolveTool(name, options);
  return found as Record<T, ResolvedTool>;
}

/** The tool if it is on PATH or in the cache already; undefined otherwise. Installs nothing. */
export async function findTool(name: Tool, options: ResolveOptions): Promise<ResolvedTool | undefined> {
  const settled = settle(options);
  return (await onPath(name, settled)) ?? (await inCache(name, settled));
}

function settle(options: ResolveOptions): Settled {
  return { progress: silent, env: process.env, pins: pinned, platform: platformName(), ...options };
}

async function resolve(name: Tool, options: Settled): Promise<ResolvedTool> {
  const found = await findTool(name, options);
  if (found) return found;
  const home = toolHome(name, options);
  return withLock(`${home}.lock`, options.progress, `the installation of ${name}`, async () => {
    return (await inCache(name, options)) ?? (await install(name, home, options));
  });
}

/** Where a tool is installed: one directory a version and platform, shared by every checkout. */
export function toolHome(name: Tool, options: Pick<ResolveOptions, "places" | "pins" | "platform">): string {
  const { version } = (options.pins ?? pinned)[name];
  return path.join(options.places.cache, "tools", `${name}-${version}-${options.platform ?? platformName()}`);
}

async function onPath(name: Tool, options: Settled): Promise<ResolvedTool | undefined> {
  if (isForeign(options)) return undefined;
  const pin = options.pins[name];
  const cached = path.join(options.places.cache, "tools") + path.sep;
  for (const candidate of await executablesOnPath(pin.binary, options.env)) {
    // What kiln itself put on PATH keeps its route: the cache knows it.
    if (candidate.startsWith(cached) || !(await saysVersion(candidate, pin, options.env))) continue;
    const root = name === "go" ? await goRoot(candidate, options.env) : path.dirname(await realpath(candidate));
    return { name, version: pin.version, path: candidate, root, source: "path" };
  }
  return undefined;
}

async function inCache(name: Tool, options: Settled): Promise<ResolvedTool | undefined> {
  const home = toolHome(name, options);
  const record = await readFile(path.join(home, "tool.json"), "utf8").catch(() => undefined);
  if (record === undefined) return undefined;
  const { binary, root, source } = JSON.parse(record) as { binary: string; root: string; source: ToolSource };
  const tool = { name, version: options.pins[name].version, path: path.resolve(home, binary), source };
  return (await isExecutable(tool.path)) ? { ...tool, root: path.resolve(home, root) } : undefined;
}

/** Installs into a directory beside the final one and renames: a broken-off installation is never seen. */
async function install(name: Tool, home: string, options: Settled): Promise<ResolvedTool> {
  const pin = options.pins[name];
  await removeLeftovers(home);
  const fresh = `${home}.${randomUUID()}.part`;
  await mkdir(fresh, { recursive: true });
  try {
    const got = (await fromDownload(name, pin, fresh, options)) ?? (await fromProxy(name, pin, fresh, options));
    const binary = path.resolve(fresh, got.binary);
    const isRight = isForeign(options) ? isBuiltFor(binary, options.platform) : saysVersion(binary, pin, options.env);
    if (!(await isRight)) {
      const what = isForeign(options)
        ? `is no program for ${options.platform}`
        : `does not say that it is version ${pin.version}`;
      throw new KilnError("failed", `${name}: what was installed ${what}`, {
        mend: `check the ${got.source} recipe of ${name} in toolchain/pins.json`,
      });
    }
    await writeFile(path.join(fresh, "tool.json"), JSON.stringify({ name, version: pin.version, ...got }, null, 2));
    await rm(home, { recursive: true, force: true });
    await rename(fresh, home);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  const installed = await inCache(name, options);
  if (installed) return installed;
  throw new KilnError("failed", `${name}: the installation in ${home} vanished`, { mend: "run the command again" });
}

/** Removes what installations that were killed left behind; the lock says that none is at work. */
async function removeLeftovers(home: string): Promise<void> {
  const folder = path.dirname(home);
  for (const name of await readdir(folder)) {
    const isLeftover = name.startsWith(`${path.basename(home)}.`) && name.endsWith(".part");
    if (isLeftover) await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

/** What an installation records in `tool.json`; paths relative to it, or absolute for what Go keeps itself. */
interface Installed {
  readonly binary: string;
  readonly root: string;
  readonly source: ToolSource;
}

async function fromDownload(name: Tool, pin: Pin, fresh: string, options: Settled): Promise<Installed | undefined> {
  const file = pin.downloads[options.platform];
  if (file === undefined) return undefined;
  options.progress.step(`getting ${name} ${pin.version}`);
  const arrived = path.join(fresh, file.member === undefined ? pin.binary : "archive");
  const missed = await download(file, arrived, options.progress);
  if (missed) {
    options.progress.note(`${name} ${pin.version}: no official download (${missed.reason}); using the Go module proxy`);
    return undefined;
  }
  if (file.member === undefined) {
    await chmod(arrived, 0o755);
    return { binary: pin.binary, root: ".", source: "download" };
  }
  await run("tar", ["-xzf", arrived, "-C", fresh, "--no-same-owner"]);
  await rm(arrived);
  const folder = path.dirname(file.member);
  return { binary: file.member, root: name === "go" ? path.dirname(folder) : folder, source: "download" };
}

async function fromProxy(name: Tool, pin: Pin, fresh: string, options: Settled): Promise<Installed> {
  if (pin.goToolchain !== undefined) return goFromProxy(pin.goToolchain, fresh, options);
  if (pin.goModule === undefined) {
    throw new KilnError("unreachable", `${name} ${pin.version} cannot be had for ${options.platform}`, {
      mend: `install ${name} ${pin.version} on PATH`,
    });
  }
  const go = await resolveTool("go", { ...options, platform: platformName() });
  const scratch = path.join(fresh, "build");
  await buildFromProxy(pin.goModule, go, { scratch, binary: path.join(fresh, pin.binary) }, options);
  await rm(scratch, { recursive: true });
  return { binary: pin.binary, root: ".", source: "built" };
}

async function goFromProxy(toolchain: GoToolchain, fresh: string, options: Settled): Promise<Installed> {
  options.progress.step(`getting ${toolchain.name} from the Go module proxy`);
  // A Go command fetches only what itself could run.
  const root = isForeign(options) ? undefined : await fetchGoToolchain(toolchain.name, options.env);
  if (root !== undefined) return { binary: path.join(root, "bin/go"), root, source: "go-toolchain" };
  const missed = await unpackGoToolchain(toolchain, path.join(fresh, "go"), options);
  if (missed === undefined) return { binary: "go/bin/go", root: "go", source: "go-toolchain" };
  throw new KilnError("unreachable", `${toolchain.name} is neither on PATH nor to be had over the network: ${missed}`, {
    mend: `install ${toolchain.name} from https://go.dev/dl and put it on PATH, or let this machine reach its module proxy`,
  });
}

/** Whether a tool is for another machine than this one, which cannot run it. */
function isForeign({ platform }: Pick<Settled, "platform">): boolean {
  return platform !== platformName();
}

/** Whether a binary prints exactly this version; `1.10.6-dev` is not 1.10.6, `v3.0.0+build` is 3.0.0. */
export function namesVersion(printed: string, version: string): boolean {
  const escaped = version.replaceAll(".", String.raw`\.`);
  return new RegExp(String.raw`(^|[^\d.])${escaped}($|[^\w.-])`, "m").test(printed);
}

async function saysVersion(binary: string, pin: Pin, env: NodeJS.ProcessEnv): Promise<boolean> {
  // GOTOOLCHAIN=local: Go shall name itself, not the toolchain that it would switch to.
  const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true", CHECKPOINT_DISABLE: "1", GOTOOLCHAIN: "local" };
  try {
    const { stdout } = await run(binary, pin.versionArgs, { env: { ...env, ...quiet }, allowFailure: true });
    return namesVersion(stdout, pin.version);
  } catch (error) {
    if (error instanceof KilnError && error.kind === "interrupted") throw error;
    return false;
  }
}

async function goRoot(go: string, env: NodeJS.ProcessEnv): Promise<string> {
  return (await run(go, ["env", "GOROOT"], { env: { ...env, GOTOOLCHAIN: "local" } })).stdout.trim();
}
