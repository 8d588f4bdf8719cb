import { statfs } from "node:fs/promises";
import path from "node:path";
import { isOlder, nodePin, packagesAreCurrent } from "./bootstrap.mjs";
import { clockFinding, pastDates } from "./clock.ts";
import { engineFinding } from "./engine-finding.ts";
import { findExecutable } from "./executables.ts";
import type { Finding } from "./finding.ts";
import { warmingFinding } from "./namespaces.ts";
import { certificatesFinding, proxyFinding } from "./network-finding.ts";
import { pins, platformName, TOOLS, type Pin, type Tool } from "./pins.ts";
import type { Places } from "./places.ts";
import { emulationFinding } from "./platforms.ts";
import { run } from "./process.ts";
import { findTool, type ToolSource } from "./resolve.ts";

const DISK_WANTED_GB = 10;
const BYTES_A_GB = 1_000_000_000;

const SOURCES: Readonly<Record<ToolSource, string>> = {
  path: "PATH",
  download: "official download",
  built: "built from the Go module proxy",
  "go-toolchain": "Go module proxy",
};

/** Looks at everything that kiln needs. Installs and builds nothing, and leaves nothing behind. */
export async function diagnose(places: Places, env: NodeJS.ProcessEnv = process.env): Promise<readonly Finding[]> {
  const now = new Date();
  const go = await findTool("go", { places, env });
  return [
    nodeFinding(process.versions.node, process.execPath),
    packagesFinding(places.project),
    ...(await toolFindings(places, env)),
    await engineFinding(places, env),
    await warmingFinding(env),
    await programFinding("git", "git", env),
    diskFinding(await freeBytes(places.cache), places.cache),
    proxyFinding(env),
    await certificatesFinding(env, now),
    clockFinding(now, await pastDates(places, go?.root)),
    ...(process.platform === "linux" ? [await emulationFinding()] : []),
  ];
}

/** How it stands with Node of this version. */
export function nodeFinding(version: string, execPath: string): Finding {
  const { minimum } = nodePin();
  const row = { name: "node", version, source: "PATH", path: execPath, blocks: true };
  if (!isOlder(version, minimum)) return { ...row, status: "ok" };
  return { ...row, status: "missing", mend: `run it through \`npx kiln\`, or install Node ${minimum} or newer` };
}

/** How it stands with this much free disk space, in bytes. */
export function diskFinding(free: number, directory: string): Finding {
  const gigabytes = Math.floor(free / BYTES_A_GB);
  const row = { name: "free disk space", version: `${gigabytes} GB`, source: "file system", path: directory };
  if (gigabytes >= DISK_WANTED_GB) return { ...row, status: "ok", blocks: true };
  const mend = `free ${DISK_WANTED_GB} GB there, or set KILN_CACHE_DIR and KILN_STATE_DIR to a larger disk`;
  return { ...row, status: "missing", mend, blocks: true };
}

function packagesFinding(project: string): Finding {
  const row = { name: "npm packages", version: "package-lock.json", source: "npm", blocks: false };
  if (packagesAreCurrent(project)) return { ...row, status: "ok", path: path.join(project, "node_modules") };
  return { ...row, status: "missing", mend: "npm ci (any kiln command does it)" };
}

async function toolFindings(places: Places, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const tool of TOOLS) findings.push(await toolFinding(tool, places, env));
  return findings;
}

async function toolFinding(name: Tool, places: Places, env: NodeJS.ProcessEnv): Promise<Finding> {
  const found = await findTool(name, { places, env });
  const { version } = pins[name];
  if (found) return { name, version, status: "ok", source: SOURCES[found.source], path: found.path, blocks: false };
  const hasGo = (await findExecutable("go", env)) !== undefined;
  return missingTool(name, { hasGo });
}

/**
 * How it stands with a tool that is not here. What is pinned for this platform kiln gets by itself; of the rest it gets
 * through any Go on PATH what comes from the Go module proxy.
 */
export function missingTool(
  name: Tool,
  here: { readonly hasGo: boolean; readonly platform?: string; readonly all?: Readonly<Record<Tool, Pin>> },
): Finding {
  const { hasGo, platform = platformName(), all = pins } = here;
  const pin = all[name];
  const row = { name, version: pin.version, status: "missing", source: "toolchain/pins.json" } as const;
  const isPinned = ({ downloads, goToolchain }: Pin) =>
    downloads[platform] !== undefined || goToolchain?.archives[platform] !== undefined;
  const byGo = pin.goToolchain !== undefined || pin.goModule !== undefined;
  if (isPinned(pin) || (pin.goModule !== undefined && isPinned(all.go))) {
    return { ...row, mend: "nothing: kiln gets it when it needs it", blocks: false };
  }
  if (byGo && hasGo) return { ...row, mend: "nothing: kiln gets it by the Go on PATH when it needs it", blocks: false };
  const own = `install ${name} ${pin.version} on PATH: none is pinned for ${platform}`;
  const mend = byGo ? `${own}; or install any Go from 1.21 on, by which kiln gets it` : own;
  return { ...row, mend, blocks: true };
}

async function programFinding(name: string, packageName: string, env: NodeJS.ProcessEnv): Promise<Finding> {
  const file = await findExecutable(name, env);
  const mend = `install ${name} (Debian, Ubuntu: apt-get install -y ${packageName})`;
  if (file === undefined) return { name, version: "any", status: "missing", source: "PATH", mend, blocks: true };
  const { stdout } = await run(file, ["--version"], { env, allowFailure: true });
  const version = /\d+(\.\d+)+/.exec(stdout)?.[0] ?? "unknown";
  return { name, version, status: "ok", source: "PATH", path: file, blocks: true };
}

/** Free bytes on the file system that a directory stands on, or will stand on. */
async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return freeBytes(path.dirname(directory));
  }
}
