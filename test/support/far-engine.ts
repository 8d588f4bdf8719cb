import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, connect, type AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { findExecutable } from "../../toolchain/executables.ts";
import { run } from "../../toolchain/process.ts";

/** Why no second engine can be started here; undefined where one can. */
export async function noFarEngine(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "not root";
  return (await findExecutable("dockerd", process.env)) === undefined ? "no dockerd" : undefined;
}

/**
 * Starts a Docker engine in a network of its own, as one on another machine or a rootless one is: nothing of this
 * machine's loopback can be reached from there. Gives its DOCKER_HOST; it ends with the test.
 */
export async function startFarEngine(): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "kiln-far-"));
  const config = path.join(home, "daemon.json");
  await writeFile(config, "{}\n");
  const host = `unix://${path.join(home, "docker.sock")}`;
  const dockerd = (await findExecutable("dockerd", process.env)) ?? "dockerd";
  const args = [
    ...["--net", "--", dockerd, "--config-file", config, "--host", host, "--bridge", "none", "--iptables=false"],
    ...["--data-root", path.join(home, "data"), "--exec-root", path.join(home, "exec")],
    ...["--pidfile", path.join(home, "pid"), "--shutdown-timeout", "2"],
  ];
  await start("unshare", args, home);
  await until(() => run("docker", ["version"], { env: { ...process.env, DOCKER_HOST: host } }));
  return host;
}

/** Starts Podman's Docker-compatible service on a socket of its own and gives its DOCKER_HOST; it ends with the test. */
export async function startPodman(): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "kiln-podman-"));
  const socket = path.join(home, "podman.sock");
  const storage = ["--root", path.join(home, "data"), "--runroot", path.join(home, "run")];
  await start("podman", [...storage, "system", "service", "--time", "0", `unix://${socket}`], home);
  await until(() => (existsSync(socket) ? Promise.resolve() : Promise.reject(new Error("podman does not listen"))));
  return `unix://${socket}`;
}

/** Lets a unix socket be reached as `tcp://127.0.0.1:port` until the test ends. */
export async function overTcp(host: string): Promise<string> {
  const server = createServer((client) => {
    const engine = connect(host.replace("unix://", ""));
    client.pipe(engine).pipe(client);
    client.on("error", () => engine.destroy());
    engine.on("error", () => client.destroy());
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function start(command: string, args: readonly string[], home: string): Promise<void> {
  const child = spawn(command, args, { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
  });
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
    await run("sh", ["-c", `grep -o " $1[^ ]*" /proc/mounts | sort -ru | xargs -r umount -l`, "sh", home]);
    await rm(home, { recursive: true, force: true });
  });
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
}

async function until(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = 150; ; left -= 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(200);
    }
  }
}
