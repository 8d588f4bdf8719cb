import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { silent, type Progress } from "../progress.ts";
import { endProcess, runningDaemon, startDaemon, stopDaemon } from "./daemon.ts";
import { findExecutable } from "./executables.ts";
import { markOf, withLock, type ProcessMark } from "./lock.ts";
import {
  legacyFilterPath,
  quietly,
  removeFilterRules,
  restoreNetwork,
  saveNetwork,
  withSystem,
  type FilterFiles,
} from "./packet-filter.ts";
import type { Places } from "./places.ts";

// One engine a machine and user, shared by the checkouts that need it: two Docker daemons would fight over bridges and
// packet filter chains. Each checkout leaves a reference; the last one to go ends the engine.

/** The longest path that a unix socket may have. */
const SOCKET_PATH_MAX = 107;

/** The files of kiln's engine. */
interface EngineFiles extends FilterFiles {
  readonly home: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly users: string;
}

/** DOCKER_HOST of kiln's own engine, running or not. */
export function managedEngineHost(places: Places): string {
  return `unix://${engineFiles(places).socket}`;
}

/** Starts kiln's engine where it does not run yet, and notes that this checkout uses it. `ready` asks it through a client. */
export async function startManagedEngine(
  places: Places,
  progress: Progress,
  ready: () => Promise<boolean>,
): Promise<void> {
  const files = engineFiles(places);
  await withLock(`${files.home}.lock`, progress, "the start of the Docker engine", async () => {
    await mkdir(files.users, { recursive: true });
    await writeFile(userFile(files, places), JSON.stringify({ state: places.state }));
    if ((await runningDaemon(files.pidFile)) !== undefined && (await ready())) return;
    await cleanUp(files);
    progress.note(`starting a Docker engine of kiln's own (log: ${files.logFile}); \`kiln down\` ends it`);
    try {
      await startDockerd(files, process.env, ready);
    } catch (error) {
      const legacy = await legacyFilterPath(files, error);
      if (legacy === undefined) throw error;
      await cleanUp(files);
      progress.note("the packet filter of this kernel needs iptables-legacy: trying again with it");
      await startDockerd(files, { ...process.env, PATH: legacy }, ready);
    }
  });
}

/**
 * Removes this checkout's reference; when no checkout with a state is left, ends the engine, removes its data and, where
 * no other engine runs, puts the machine's forwarding back as it was.
 */
export async function stopManagedEngine(places: Places): Promise<boolean> {
  const files = engineFiles(places);
  if (!existsSync(files.home)) return false;
  return withLock(`${files.home}.lock`, silent, "the end of the Docker engine", async () => {
    await rm(userFile(files, places), { force: true });
    if (await isUsed(files)) return false;
    const wasRunning = (await runningDaemon(files.pidFile)) !== undefined;
    await cleanUp(files);
    if ((await processesWhere(isEngineHere)).length === 0) await restoreNetwork(files);
    await rm(files.home, { recursive: true, force: true });
    return wasRunning;
  });
}

function engineFiles(places: Places): EngineFiles {
  const home = path.join(places.cache, "engine");
  const name = createHash("sha256").update(home).digest("hex").slice(0, 8);
  const socket = path.join(home, "docker.sock");
  return {
    home,
    socket: Buffer.byteLength(socket) <= SOCKET_PATH_MAX ? socket : `/run/kiln-${name}.sock`,
    pidFile: path.join(home, "dockerd.json"),
    logFile: path.join(home, "dockerd.log"),
    users: path.join(home, "users"),
    bridge: `kiln-${name}`,
    network: path.join(home, "network.json"),
    legacy: path.join(home, "legacy"),
  };
}

function userFile(files: EngineFiles, places: Places): string {
  return path.join(files.users, `${createHash("sha256").update(places.state).digest("hex").slice(0, 16)}.json`);
}

async function isUsed(files: EngineFiles): Promise<boolean> {
  for (const name of await readdir(files.users).catch(() => [])) {
    const { state } = JSON.parse(await readFile(path.join(files.users, name), "utf8")) as { state: string };
    if (existsSync(state)) return true;
  }
  return false;
}

async function startDockerd(files: EngineFiles, env: NodeJS.ProcessEnv, ready: () => Promise<boolean>): Promise<void> {
  const dockerd = await findExecutable("dockerd", env);
  if (dockerd === undefined) {
    throw new KilnError("unreachable", "dockerd is not installed", { mend: "run: apt-get install -y docker.io" });
  }
  await saveNetwork(files);
  // An empty configuration of its own: what /etc/docker/daemon.json says is meant for the machine's engine.
  const config = path.join(files.home, "daemon.json");
  await writeFile(config, "{}\n");
  const args = [
    ...["--config-file", config, "--host", `unix://${files.socket}`],
    ...["--data-root", path.join(files.home, "data"), "--exec-root", path.join(files.home, "exec")],
    ...["--pidfile", path.join(files.home, "dockerd.pid"), "--shutdown-timeout", "5"],
    ...((await makeBridge(files.bridge)) ? ["--bridge", files.bridge] : []),
  ];
  const { pidFile, logFile } = files;
  const daemon = { name: "the Docker engine", command: dockerd, args, env: withSystem(env), pidFile, logFile };
  await startDaemon(daemon, ready);
}

/** A bridge under kiln's own name, so that another engine's docker0 stays as it is. */
async function makeBridge(name: string): Promise<boolean> {
  return quietly("ip", ["link", "add", "name", name, "address", bridgeAddress(name), "type", "bridge"]);
}

/**
 * The hardware address of a bridge. Without one of its own a bridge takes that of a port, another one whenever a container
 * comes or goes; the others then still send to the old one, past address translation, and their connections stand still. Pure.
 */
export function bridgeAddress(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex");
  return ["02", "42", ...(digest.slice(0, 8).match(/../g) ?? [])].join(":");
}

/** Ends the daemon and what it left behind: containers' supervisors, mounts, the bridge, the sockets. Keeps images. */
async function cleanUp(files: EngineFiles): Promise<void> {
  await stopDaemon(files.pidFile);
  // Only a daemon that was killed leaves these.
  for (const mark of await processesWhere((pid) => isContained(pid, files.home))) await endProcess(mark, "SIGKILL");
  for (const mark of await processesWhere((pid) => supervises(pid, files.home))) await endProcess(mark);
  for (const mount of (await mountsBelow(files.home)).reverse()) await quietly("umount", ["-l", mount]);
  await removeFilterRules(files);
  await quietly("ip", ["link", "delete", files.bridge]);
  await rm(path.join(files.home, "exec"), { recursive: true, force: true });
  await rm(path.join(files.home, "dockerd.pid"), { force: true });
  await rm(files.socket, { force: true });
}

async function processesWhere(matches: (pid: string) => Promise<boolean>): Promise<readonly ProcessMark[]> {
  const found: ProcessMark[] = [];
  for (const pid of (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const mark = markOf(Number(pid));
    if (mark !== undefined && (await matches(pid))) found.push(mark);
  }
  return found;
}

/** Whether a process runs inside a container of the engine: its root is a layer below the engine's directory. */
async function isContained(pid: string, home: string): Promise<boolean> {
  const mounts = (await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "")).split("\n");
  const root = mounts.findLast((line) => line.split(" ")[4] === "/");
  return root?.includes(`upperdir=${home}${path.sep}`) === true;
}

/** Whether a process is container software whose arguments name a path below the engine's directory. */
async function supervises(pid: string, home: string): Promise<boolean> {
  const args = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  const isContainerSoftware = /^(dockerd|docker-proxy|containerd|containerd-shim.*)$/.test(
    path.basename(args[0] ?? ""),
  );
  return isContainerSoftware && args.some((arg) => arg.includes(`${home}${path.sep}`));
}

/** Whether a process is a Docker engine that shares this network. */
async function isEngineHere(pid: string): Promise<boolean> {
  const [command = ""] = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  if (path.basename(command) !== "dockerd") return false;
  const own = await readlink("/proc/self/ns/net").catch(() => "");
  return (await readlink(`/proc/${pid}/ns/net`).catch(() => own)) === own;
}

async function mountsBelow(directory: string): Promise<string[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  const points = table.split("\n").map((line) => line.split(" ")[4] ?? "");
  return points.map((point) => point.replaceAll(String.raw`\040`, " ")).filter((at) => at.startsWith(directory + "/"));
}
