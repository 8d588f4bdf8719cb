import { statfs } from "node:fs/promises";
import path from "node:path";
import { isOlder, nodePin, packagesAreCurrent } from "./bootstrap.mjs";
import { canInstallPackages } from "./debian.ts";
import { engineVersion } from "./docker-client.ts";
import { engineEnvironment, findEngine } from "./docker-engine.ts";
import { findExecutable } from "./executables.ts";
import { managedEngineHost } from "./managed-engine.ts";
import { pins, TOOLS, type Tool } from "./pins.ts";
import type { Places } from "./places.ts";
import { run } from "./process.ts";
import { findTool, type ToolSource } from "./resolve.ts";

/** One thing that kiln needs, and how it stands with it on this machine. */
export interface Finding {
  readonly name: string;
  /** The version found, or the one wanted where it is missing. */
  readonly version: string;
  readonly status: "ok" | "missing";
  /** Where it comes from. */
  readonly source: string;
  readonly path?: string;
  /** What to do about it. */
  readonly mend?: string;
  /** Whether a person must do it: kiln gets the others by itself when it needs them. */
  readonly blocks: boolean;
}

const DISK_WANTED_GB = 10;
const BYTES_A_GB = 1_000_000_000;

const SOURCES: Readonly<Record<ToolSource, string>> = {
  path: "PATH",
  download: "official download",
  built: "built from the Go module proxy",
  "go-toolchain": "Go module proxy",
};

/** Looks at everything that kiln needs. Installs, builds and starts nothing. */
export async function diagnose(places: Places, env: NodeJS.ProcessEnv = process.env): Promise<readonly Finding[]> {
  const findings = [nodeFinding(process.versions.node, process.execPath), packagesFinding(places.project)];
  for (const tool of TOOLS) findings.push(await toolFinding(tool, places, env));
  findings.push(await engineFinding(places, env));
  if (process.platform === "linux") findings.push(await programFinding("unshare", "util-linux", env));
  findings.push(await programFinding("git", "git", env), diskFinding(await freeBytes(places.cache), places.cache));
  return findings;
}

/** Whether a person has to do something before kiln can work here. */
export function isBlocked(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.status === "missing" && finding.blocks);
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

async function toolFinding(name: Tool, places: Places, env: NodeJS.ProcessEnv): Promise<Finding> {
  const found = await findTool(name, { places, env });
  const { version } = pins[name];
  if (found) return { name, version, status: "ok", source: SOURCES[found.source], path: found.path, blocks: false };
  const mend = "nothing: kiln gets it when it needs it";
  return { name, version, status: "missing", source: "toolchain/pins.json", mend, blocks: false };
}

async function engineFinding(places: Places, env: NodeJS.ProcessEnv): Promise<Finding> {
  const host = managedEngineHost(places);
  const own = env.DOCKER_HOST === host;
  const found = (await findEngine(env)) ?? (await findEngine({ ...env, DOCKER_HOST: host }));
  if (found) {
    const version = (await engineVersion(found.docker, engineEnvironment(found, env))) ?? "unknown";
    const source = own || found.host === host ? "started by kiln" : (found.host ?? "default socket");
    return { name: "docker engine", version, status: "ok", source, path: found.docker, blocks: true };
  }
  const row = { name: "docker engine", version: "with BuildKit", status: "missing", source: "none answers" } as const;
  if (env.DOCKER_HOST === undefined && (await canInstallPackages())) {
    return { ...row, mend: "nothing: `kiln up` installs and starts one", blocks: false };
  }
  const mend = "start Docker, with its buildx plugin, or install it: https://docs.docker.com/engine/install";
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
