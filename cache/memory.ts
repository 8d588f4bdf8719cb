import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";

/** How many compilers run at once, and how each of them and the go command use memory. None of it enters an action ID. */
export interface CompileMemory {
  /** Compilers at once. */
  readonly procs: number;
  /** Bytes for each of them. */
  readonly share: number;
  readonly environment: { readonly GOGC: string; readonly GOMEMLIMIT: string };
}

const [MIB, GIB] = [1024 ** 2, 1024 ** 3];

/** Of the memory that is free, what compilers may plan with: the rest is for the go command, kiln and the page cache. */
const USABLE = 0.85;

/** Below this a compiler of an ordinary package has no room. */
const LEAST_SHARE = 0.5 * GIB;

/**
 * Without collections until the limit, aws/ec2 takes 35% less CPU time, pulumi-auth0 41% and pulumi-digitalocean 28%, in
 * twice the memory. A share that is too small for that collects less often than Go does by itself.
 */
const ROOMY_SHARE = 3 * GIB;
const FAIR_SHARE = 1.5 * GIB;

/** The settings for this machine as it is now. */
export function compileMemory(): CompileMemory {
  return memoryFor(usableMemory(), availableParallelism());
}

/** The settings for so many bytes and cores. */
export function memoryFor(bytes: number, cores: number): CompileMemory {
  const procs = Math.max(1, Math.min(cores, Math.floor(bytes / LEAST_SHARE)));
  const share = bytes / procs;
  const GOGC = share >= ROOMY_SHARE ? "off" : share >= FAIR_SHARE ? "400" : "200";
  const limit = Math.max(LEAST_SHARE, share);
  return { procs, share, environment: { GOGC, GOMEMLIMIT: `${Math.floor(limit / MIB)}MiB` } };
}

/** Bytes that compilers may take on this machine. */
export function usableMemory(): number {
  const free = memAvailable(readText("/proc/meminfo")) ?? 2 * GIB;
  const rooms = cgroupFolders(readText("/proc/self/cgroup")).map((folder) =>
    cgroupRoom((name) => readText(path.join(folder, name))),
  );
  return Math.min(free, ...rooms) * USABLE;
}

/** The bytes that programs can still have, of /proc/meminfo (proc_meminfo(5)). */
export function memAvailable(text: string): number | undefined {
  const [, kilobytes] = /^MemAvailable:\s+(\d+) kB$/m.exec(text) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/**
 * The folders whose limits hold for a process, of its /proc/self/cgroup: its own group and those above it, in both versions.
 * In a container the root folder is its own group, and those that the file names are not there.
 */
export function cgroupFolders(text: string): readonly string[] {
  const folders: string[] = [];
  for (const line of text.split("\n")) {
    const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (group === undefined) continue;
    const root = controllers === "" ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    if (controllers !== "" && !(controllers ?? "").split(",").includes("memory")) continue;
    for (let folder = path.posix.join(root, group); ; folder = path.posix.dirname(folder)) {
      folders.push(folder.replace(/\/$/, ""));
      if (folder.replace(/\/$/, "") === root) break;
    }
  }
  return [...new Set(folders)];
}

/** What a control group leaves: its limit without what is in use and cannot be given up. Infinite where it sets none. */
export function cgroupRoom(read: (name: string) => string): number {
  for (const [limit, usage, cache] of [
    ["memory.max", "memory.current", "inactive_file"],
    ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"],
  ] as const) {
    const most = read(limit).trim();
    if (!/^\d+$/.test(most)) continue;
    const [, reclaimable = "0"] = new RegExp(`^${cache} (\\d+)$`, "m").exec(read("memory.stat")) ?? [];
    return Math.max(0, Number(most) - Math.max(0, Number(read(usage)) - Number(reclaimable)));
  }
  return Number.POSITIVE_INFINITY;
}

/** Files of the kernel are there at once; empty where there is none. */
function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
