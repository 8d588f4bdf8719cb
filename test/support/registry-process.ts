import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silent } from "../../progress.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { freePort } from "./checkout.ts";

/** A registry of a test's own on the loopback interface: a second and third one beside the checkout's. */
export class RegistryProcess {
  /** `localhost:port`. */
  readonly address: string;
  readonly #home: string;
  readonly #binary: string;
  #stop: () => Promise<void> = () => Promise.resolve();

  private constructor(home: string, port: number, binary: string) {
    this.#home = home;
    this.address = `localhost:${port}`;
    this.#binary = binary;
  }

  /** Starts a registry that keeps its data, and its access log, below `home`. */
  static async start(home: string): Promise<RegistryProcess> {
    await mkdir(home, { recursive: true });
    const { path: binary } = await resolveTool("registry", { places: places(), progress: silent });
    const registry = new RegistryProcess(home, await freePort(), binary);
    await registry.restart();
    return registry;
  }

  /** Stops it and starts it again on the same data, where `readOnly` without taking pushes. */
  async restart({ readOnly = false } = {}): Promise<void> {
    await this.stop();
    const config = path.join(this.#home, "config.json");
    const storage = {
      filesystem: { rootdirectory: path.join(this.#home, "data") },
      maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: readOnly } },
    };
    const http = { addr: this.address.replace("localhost", "127.0.0.1") };
    await writeFile(config, JSON.stringify({ version: "0.1", log: { level: "warn" }, storage, http }));
    const log = openSync(path.join(this.#home, "log"), "a");
    const env = { ...process.env, OTEL_TRACES_EXPORTER: "none" };
    const child = spawn(this.#binary, ["serve", config], { stdio: ["ignore", log, log], env });
    const ended = new Promise<void>((resolve) => {
      child.once("close", () => {
        resolve();
      });
    });
    this.#stop = () => {
      child.kill();
      return ended;
    };
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`the registry ended:\n${await this.log()}`);
      await sleep(50);
    }
  }

  /** The requests that it answered so far, as its access log has them. */
  log(): Promise<string> {
    return readFile(path.join(this.#home, "log"), "utf8");
  }

  async stop(): Promise<void> {
    await this.#stop();
  }

  #answers(): Promise<boolean> {
    return fetch(`http://${this.address}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
