import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { KilnError, messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { dockerCall } from "../docker-call.ts";
import type { ContainerEngine } from "../offline-container.ts";
import { guardMetadata, isUnfiltered, liftGuard } from "./metadata-guard.ts";
import { OWNER_LABEL } from "./docker-plan.ts";
import { SharedAnswer } from "./shared-answer.ts";

/** A network that a job's container is in, until it is given back. */
export interface LeasedNetwork {
  readonly name: string;
  /** Where it is weaker than an isolated one shall be. */
  readonly relaxations: readonly string[];
  giveBack(): Promise<void>;
}

/** The network that the jobs of an engine share. */
export const JOBS_NETWORK = "kiln-jobs";
/** The first letters of every bridge of jobs: what an administrator's own packet filter can name. */
export const BRIDGE_PREFIX = "kj-";
export const NETWORK_PREFIX = "kiln-job-";
const JOBS_BRIDGE = `${BRIDGE_PREFIX}shared`;
const NO_FILTER = /restrict inter-container communication|br_netfilter|bridge-nf/i;
const [ICC, BRIDGE_NAME] = ["com.docker.network.bridge.enable_icc", "com.docker.network.bridge.name"];
/** What engines say where all their address ranges are taken: about thirty networks by default, of everybody on them. */
const NO_ADDRESSES = /non-overlapping IPv4 address pool|address pools have been fully subnetted/i;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/** How a job waits for its network. */
export interface NetworkWait {
  readonly progress: Progress;
  /** The end of its time, or of its need. */
  readonly until: AbortSignal;
}

interface FoundNetwork {
  readonly name: string;
  readonly relaxations: readonly string[];
}

/**
 * The isolated networks of one engine. Its jobs, of whichever process, share a bridge on which no two containers can talk: the
 * first makes it, and it stays (docs/adr/0036-one-network.md). Where the kernel cannot filter a bridge, each job has one of its
 * own, which goes with it.
 */
export class IsolatedNetworks {
  readonly #engine: ContainerEngine;
  readonly #owner: string;
  /** Whether this machine's packet filter is that of the engine. */
  readonly #guards: boolean;
  #shared: { readonly found: SharedAnswer<FoundNetwork>; users: number } | undefined;

  constructor(engine: ContainerEngine, options: { readonly owner: string; readonly guards: boolean }) {
    this.#engine = engine;
    this.#owner = options.owner;
    this.#guards = options.guards;
  }

  /**
   * A network for one job. Where one has to be made and the engine has no addresses left, it waits until another network goes,
   * as long as the job's signal allows.
   */
  async lease(waiting: NetworkWait): Promise<LeasedNetwork> {
    // Jobs at the same time ask once; a later one asks again, since somebody may have removed it.
    const shared = (this.#shared ??= {
      found: new SharedAnswer("the network", (until) => this.#findShared({ ...waiting, until })),
      users: 0,
    });
    shared.users += 1;
    const giveBack = () => {
      shared.users -= 1;
      if (shared.users === 0 && this.#shared === shared) this.#shared = undefined;
      return Promise.resolve();
    };
    try {
      return { ...(await shared.found.before(waiting.until)), giveBack };
    } catch (error) {
      await giveBack();
      if (!NO_FILTER.test(messageOf(error))) throw error;
    }
    return this.#makeOwn(waiting);
  }

  async #findShared(waiting: NetworkWait): Promise<FoundNetwork> {
    if (!(await isJobsNetwork(this.#engine))) {
      try {
        await this.#make({ name: JOBS_NETWORK, bridge: JOBS_BRIDGE, flags: ["--opt", `${ICC}=false`] }, waiting);
      } catch (error) {
        // Another process was first.
        if (!(await isJobsNetwork(this.#engine))) throw error;
      }
    }
    if (this.#guards && (await isUnfiltered(JOBS_BRIDGE))) throw new Error("bridge-nf-call-iptables is off");
    return { name: JOBS_NETWORK, relaxations: await this.#guard(JOBS_BRIDGE) };
  }

  async #makeOwn(waiting: NetworkWait): Promise<LeasedNetwork> {
    const mark = randomBytes(4).toString("hex");
    const [name, bridge] = [`${NETWORK_PREFIX}${mark}`, `${BRIDGE_PREFIX}${mark}`];
    await this.#make({ name, bridge, flags: ["--label", `${OWNER_LABEL}=${this.#owner}`] }, waiting);
    const relaxations = await this.#guard(bridge);
    const giveBack = async () => {
      await removeNetwork(this.#engine, name);
      if (relaxations.length === 0) await liftGuard(bridge);
    };
    return { name, relaxations, giveBack };
  }

  async #guard(bridge: string): Promise<readonly string[]> {
    return this.#guards && (await guardMetadata(bridge)) ? [] : [UNGUARDED];
  }

  /** The call itself is not given up: it may have made the network all the same. */
  async #make(network: NewNetwork, { progress, until }: NetworkWait): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        await makeNetwork(this.#engine, network);
        return;
      } catch (error) {
        if (!NO_ADDRESSES.test(messageOf(error))) throw error;
        const problem = noAddresses(error);
        if (pause === FIRST_PAUSE_MS) progress.note(`${problem.message}: waiting for another network to go`);
        // Those that wait together shall not ask together.
        const slept = sleep(pause * (0.5 + Math.random()), undefined, { signal: until });
        await slept.catch(() => Promise.reject(problem));
      }
    }
  }
}

interface NewNetwork {
  readonly name: string;
  readonly bridge: string;
  readonly flags: readonly string[];
}

async function makeNetwork(engine: ContainerEngine, { name, bridge, flags }: NewNetwork): Promise<void> {
  const common = ["network", "create", "--driver", "bridge", "--ipv6=false", "--opt", `${BRIDGE_NAME}=${bridge}`];
  await dockerCall(engine, [...common, ...flags, name]);
}

/** Whether the engine has the network that jobs share. Throws where there is one of that name which would not keep them apart. */
async function isJobsNetwork(engine: ContainerEngine): Promise<boolean> {
  const options = [ICC, BRIDGE_NAME].map((option) => `{{index .Options "${option}"}}`);
  const format = ["{{.Driver}}", "{{.EnableIPv6}}", ...options].join(" ");
  const found = await dockerCall(engine, ["network", "inspect", "--format", format, JOBS_NETWORK], {
    allowFailure: true,
  });
  if (found.code !== 0) return false;
  if (found.stdout.trim() === `bridge false false ${JOBS_BRIDGE}`) return true;
  throw new KilnError(
    "failed",
    `the network ${JOBS_NETWORK} of this engine was not made for jobs: it would not keep them apart`,
    {
      mend: `Remove it: docker network rm ${JOBS_NETWORK}; the next job makes it anew.`,
    },
  );
}

/** Removes the network that the jobs of an engine share, where no container is in it; the next job makes it anew. */
export async function removeJobsNetwork(engine: ContainerEngine): Promise<void> {
  const removed = await dockerCall(engine, ["network", "rm", JOBS_NETWORK], { allowFailure: true });
  if (removed.code === 0) await liftGuard(JOBS_BRIDGE);
}

function noAddresses(cause: unknown): KilnError {
  return new KilnError("unreachable", "the Docker engine has no addresses left for the network of a job", {
    mend: "Remove networks that nobody needs (`docker network ls`), give the engine smaller ranges (default-address-pools), or use --network none.",
    cause,
  });
}

const UNGUARDED =
  "addresses of a cloud's metadata service, which only the packet filter of the engine's machine can close";

/** What a network that a person named lets a job do more than an isolated one. */
export function namedNetwork(name: string): LeasedNetwork {
  const relaxations = name === "none" ? [] : [`the network ${name}, with whatever can be reached in it`];
  return { name, relaxations, giveBack: () => Promise.resolve() };
}

/** Removes a network, and what an engine may still believe to be in it. Whoever is in it really keeps it. */
export async function removeNetwork(engine: ContainerEngine, name: string): Promise<void> {
  const removed = await dockerCall(engine, ["network", "rm", name], { allowFailure: true });
  if (removed.code === 0 || !/active endpoints/i.test(removed.stderr)) return;
  // A container that went while it was started leaves its endpoint behind in engines of some versions.
  const format = "{{range .Containers}}{{.Name}}\n{{end}}";
  const inside = await dockerCall(engine, ["network", "inspect", "--format", format, name], { allowFailure: true });
  for (const container of inside.stdout.split("\n").filter((line) => line !== "")) {
    const there = await dockerCall(engine, ["container", "inspect", container], { allowFailure: true });
    if (there.code === 0) return;
    await dockerCall(engine, ["network", "disconnect", "--force", name, container], { allowFailure: true });
  }
  await dockerCall(engine, ["network", "rm", name], { allowFailure: true });
}
