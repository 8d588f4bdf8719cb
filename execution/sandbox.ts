import { KilnError } from "../errors.ts";

export interface Limits {
  /** As docker takes it: `512m`, `2g`. */
  readonly memory?: string | undefined;
  /** Processors, also a part of one; all of the engine's when absent. */
  readonly cpus?: number | undefined;
  readonly pids?: number | undefined;
  /** Bytes of each folder in memory; half of the machine's memory when absent, as docker has it. */
  readonly tmpfsBytes?: number | undefined;
}

/** What a container may do. It is part of every result, so that nobody has to guess under what a run ran. */
export interface Sandbox {
  /** `uid:gid` */
  readonly user: string;
  readonly readOnlyRoot: boolean;
  readonly capabilities: "none";
  readonly noNewPrivileges: boolean;
  readonly memory: string;
  readonly cpus: number | "all";
  readonly pids: number;
  /** `bridge`, `none`, or the name of a network. */
  readonly network: string;
  /** Folders in memory, which end with the container. */
  readonly tmpfs: readonly string[];
  /** Bytes that each of them holds at most; absent where nothing but memory limits them. */
  readonly tmpfsBytes?: number;
  /** Where this is weaker than the default; empty for most runs. */
  readonly relaxations: readonly string[];
}

export const SANDBOX_UID = 65532;
/** The folder in memory where secrets stand. */
export const SECRET_FOLDER = "/run/kiln";

const MEMORY = /^[1-9]\d*[bkmg]?$/i;
const NETWORK = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const DEFAULT_MEMORY = "2g";
const DEFAULT_PIDS = 1024;

/** The sandbox of a run. Throws a usage error on a limit that docker would misread, or on another container's network. */
export function sandboxOf({ memory, cpus, pids, tmpfsBytes }: Limits = {}, network = "bridge"): Sandbox {
  if (memory !== undefined && !MEMORY.test(memory)) {
    throw new KilnError("usage", `"${memory}" is no amount of memory`, { mend: "Write such as 512m or 2g." });
  }
  if (cpus !== undefined && !(Number.isFinite(cpus) && cpus > 0)) {
    throw new KilnError("usage", `${cpus} is no number of processors`, { mend: "Write such as 0.5 or 2." });
  }
  if (pids !== undefined && !(Number.isInteger(pids) && pids > 0)) {
    throw new KilnError("usage", `${pids} is no number of processes`, { mend: `Write such as ${DEFAULT_PIDS}.` });
  }
  if (!NETWORK.test(network)) {
    throw new KilnError("usage", `"${network}" is no network for a run`, { mend: "Name bridge, none or a network." });
  }
  return {
    user: `${SANDBOX_UID}:${SANDBOX_UID}`,
    readOnlyRoot: true,
    capabilities: "none",
    noNewPrivileges: true,
    memory: memory ?? DEFAULT_MEMORY,
    cpus: cpus ?? "all",
    pids: pids ?? DEFAULT_PIDS,
    network,
    tmpfs: ["/tmp", SECRET_FOLDER],
    ...(tmpfsBytes === undefined ? {} : { tmpfsBytes }),
    relaxations: network === "host" ? ["the network of the engine's machine, its loopback included"] : [],
  };
}

/** The flags of `docker create` that make it so. */
export function sandboxFlags(sandbox: Sandbox): readonly string[] {
  return [
    ...["--user", sandbox.user, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    // Without swap of its own: a limit of memory that may be doubled in swap is none.
    ...["--memory", sandbox.memory, "--memory-swap", sandbox.memory, "--pids-limit", String(sandbox.pids)],
    ...(sandbox.cpus === "all" ? [] : ["--cpus", String(sandbox.cpus)]),
    ...["--network", sandbox.network],
    ...sandboxTmpfs(sandbox).flatMap((folder) => ["--tmpfs", folder]),
  ];
}

/** Its folders in memory, as `--tmpfs` takes them. */
export function sandboxTmpfs({ user, tmpfsBytes }: Sandbox): readonly string[] {
  const [uid = "", gid = ""] = user.split(":");
  const size = tmpfsBytes === undefined ? "" : `,size=${tmpfsBytes}`;
  // Compilers and tools start what they write there; docker's default for a tmpfs is noexec.
  return [`/tmp:exec,mode=1777${size}`, `${SECRET_FOLDER}:exec,mode=0700,uid=${uid},gid=${gid}${size}`];
}
