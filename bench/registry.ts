import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { removeFolder } from "../toolchain/remove-folder.ts";
import { runningDaemon, startDaemon, stopDaemon } from "../toolchain/daemon.ts";

/**
 * Starts the bench's own registry on a free port of the loopback interface, on the data that earlier runs left in `home`,
 * and gives its address. One that a killed run left behind is ended first.
 */
export async function startRegistry(binary: string, home: string): Promise<string> {
  const pidFile = path.join(home, "registry.json");
  if ((await runningDaemon(pidFile)) !== undefined) await stopDaemon(pidFile);
  await mkdir(path.join(home, "data"), { recursive: true });
  const port = await freePort();
  const config = path.join(home, "config.json");
  const storage = {
    filesystem: { rootdirectory: path.join(home, "data") },
    delete: { enabled: true },
    maintenance: { uploadpurging: { enabled: false } },
  };
  const log = { level: "warn", accesslog: { disabled: true } };
  await writeFile(config, JSON.stringify({ version: "0.1", log, storage, http: { addr: `127.0.0.1:${port}` } }));
  const daemon = {
    ...{ name: "the bench's registry", command: binary, args: ["serve", config] },
    ...{ env: { ...process.env, OTEL_TRACES_EXPORTER: "none" }, pidFile, logFile: path.join(home, "registry.log") },
  };
  await startDaemon(daemon, () =>
    fetch(`http://127.0.0.1:${port}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return `localhost:${port}`;
}

/** Ends the registry; what was pushed stays in `home`. */
export async function stopRegistry(home: string): Promise<void> {
  await stopDaemon(path.join(home, "registry.json"));
}

/**
 * Bytes of all blobs that a registry keeps in `home`, each once: the difference before and after a push is what travelled,
 * since a registry asks for nothing that it has.
 */
export async function registryBytes(home: string): Promise<number> {
  const blobs = path.join(home, "data/docker/registry/v2/blobs/sha256");
  let bytes = 0;
  for (const entry of await readdir(blobs, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (entry.name === "data" && entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

/** Whether a registry that ran on `home` had this tag or digest of a repository (without host). */
export async function hasImage(home: string, repository: string, reference: string): Promise<boolean> {
  const manifests = path.join(home, "data/docker/registry/v2/repositories", repository, "_manifests");
  const link = reference.startsWith("sha256:")
    ? path.join(manifests, "revisions", reference.replace(":", "/"), "link")
    : path.join(manifests, "tags", reference, "current/link");
  return readFile(link).then(
    () => true,
    () => false,
  );
}

/** Makes the registry forget a repository (below `kiln-bench/`): a bake of the same inputs is then not taken for done. */
export async function forgetRepository(work: string, name: string): Promise<void> {
  await removeFolder(path.join(work, "registry/data/docker/registry/v2/repositories/kiln-bench", name));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
