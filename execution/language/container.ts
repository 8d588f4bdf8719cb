import { randomUUID } from "node:crypto";
import type { RunResult } from "../../toolchain/process.ts";
import { dockerCall } from "../docker-call.ts";
import type { ContainerEngine } from "../offline-container.ts";

export interface RunningContainer {
  /** Runs a script of the image's shell in it, and returns what it printed and how it ended. */
  readonly sh: (script: string, environment?: Readonly<Record<string, string>>) => Promise<RunResult>;
  /** Unpacks a tar archive into a folder of it, as files of its user. */
  readonly put: (archive: Buffer, folder: string) => Promise<void>;
}

export interface ContainerRequest {
  readonly image: string;
  /** `uid:gid` */
  readonly user: string;
  /** Without it the container has no network at all. */
  readonly network?: readonly string[];
  /** A named volume at /workspace, in place of the image's folder. */
  readonly volume?: string;
}

/** How long a script may take: a compiler may be cold. */
const SCRIPT_MS = 900_000;

/** Runs a container without rights for as long as `use` takes, and removes it whatever happens. */
export async function withContainer<Result>(
  engine: ContainerEngine,
  { image, user, network = ["--network", "none"], volume }: ContainerRequest,
  use: (container: RunningContainer) => Promise<Result>,
): Promise<Result> {
  const name = `kiln-language-${randomUUID()}`;
  const limits = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "1024"];
  const mount = volume === undefined ? [] : ["--volume", `${volume}:/workspace`];
  const create = ["create", "--init", "--name", name, "--user", user, ...limits, ...network, ...mount];
  try {
    await dockerCall(engine, [...create, image, "sleep", String(SCRIPT_MS / 500)]);
    await dockerCall(engine, ["start", name]);
    return await use({
      sh: (script, environment = {}) => {
        const variables = Object.entries(environment).flatMap(([key, value]) => [
          "--env",
          value === "" ? key : `${key}=${value}`,
        ]);
        const args = ["exec", ...variables, name, "sh", "-c", script];
        return dockerCall(engine, args, { withinMs: SCRIPT_MS, allowFailure: true });
      },
      put: async (archive, folder) => {
        // Not `docker cp`, which makes the files root's, or asks for a user of that name.
        await dockerCall(engine, ["exec", "--interactive", name, "tar", "-xf", "-", "-C", folder], { input: archive });
      },
    });
  } finally {
    await dockerCall(engine, ["rm", "--force", "--volumes", name], { allowFailure: true });
  }
}

/** A volume for as long as `use` takes. */
export async function withVolume<Result>(
  engine: ContainerEngine,
  use: (volume: string) => Promise<Result>,
): Promise<Result> {
  const name = `kiln-language-${randomUUID()}`;
  await dockerCall(engine, ["volume", "create", name]);
  try {
    return await use(name);
  } finally {
    await dockerCall(engine, ["volume", "rm", "--force", name], { allowFailure: true });
  }
}
