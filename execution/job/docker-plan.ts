import path from "node:path";
import type { ContainerPlan } from "../container-plan.ts";
import { SANDBOX_UID, sandboxOf } from "../sandbox.ts";
import type { JobDescription } from "./description.ts";
import { inputFolders, jobEnvironment, OUTPUT, WORKSPACE } from "./environment.ts";
import { bytesOf } from "./limits.ts";

export const JOB_LABEL = "dev.kiln.job";
/** Whose process looks after the container, as JSON: a later run proves by it that nobody does any more. */
export const OWNER_LABEL = "dev.kiln.job.owner";
/** The folder of the job's history on the machine of its owner. */
export const FOLDER_LABEL = "dev.kiln.job.folder";

export interface DockerPlacing {
  /** The engine's id of the image. */
  readonly imageId: string;
  /** The network that the engine has for it. */
  readonly network: string;
  /** A folder with scripts and large parameters, on a disk that the engine sees; undefined where they are copied in. */
  readonly inputFolder?: string | undefined;
  readonly owner: string;
  readonly historyFolder: string;
}

/** How a job's container is made on Docker. Pure, and without secrets: those come by standard input. */
export function dockerPlan(description: JobDescription, placing: DockerPlacing): ContainerPlan {
  const { limits } = description;
  const disk = bytesOf(limits.disk);
  const user = `uid=${SANDBOX_UID},gid=${SANDBOX_UID}`;
  const { inputFolder } = placing;
  const brought = inputFolders(description).map((name) => ({ name, to: `${WORKSPACE}/${name}` }));
  return {
    image: placing.imageId,
    sandbox: sandboxOf(
      { memory: String(bytesOf(limits.memory)), cpus: limits.cpus, pids: limits.pids, tmpfsBytes: disk },
      placing.network,
    ),
    environment: { ...jobEnvironment(description), KILN_SECRETS: "stdin" },
    labels: {
      ...description.labels,
      [JOB_LABEL]: description.job_id,
      [OWNER_LABEL]: placing.owner,
      [FOLDER_LABEL]: placing.historyFolder,
    },
    tmpfs: [`${WORKSPACE}:exec,mode=0755,${user},size=${disk}`],
    // What the entrypoint writes there has to outlive the container's end; the script's own folders are in memory.
    volumes: [OUTPUT, ...(inputFolder === undefined ? brought.map(({ to }) => to) : [])],
    ...(inputFolder === undefined
      ? {}
      : { readOnlyMounts: brought.map(({ name, to }) => ({ from: path.join(inputFolder, name), to })) }),
    ulimits: [`fsize=${disk}`, "core=0", "nofile=4096"],
  };
}
