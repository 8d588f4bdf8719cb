import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { KilnError, messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { dockerCall } from "../docker-call.ts";
import type { ContainerEngine } from "../offline-container.ts";
import { guardMetadata } from "./metadata-guard.ts";
import { OWNER_LABEL } from "./docker-plan.ts";
import { SharedAnswer } from "./shared-answer.ts";

/** A network that a job's container is in, until it is given back. */
export interface LeasedNetwork {
  readonly name: string;
  /** Where it is weaker than an isolated one shall be. */
  readonly relaxations: readonly string[];
  giveBack(): Promise<void>;
}

/** The first letters of every bridge of jobs: what an administrator's own packet filter can name. */
export const BRIDGE_PREFIX = "kj-";
export const NETWORK_PREFIX = "kiln-job-";
const NO_FILTER = /restrict inter-container communication|br_netfilter|bridge-nf/i;
const ICC = "com.docker.network.bridge.enable_icc";
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

interface SharedNetwork {
  readonly made: SharedAnswer<MadeNetwork>;
  users: number;
}

interface MadeNetwork {
  readonly name: string;
  readonly relaxations: readonly string[];
  remove(): Promise<void>;
}

/**
 * The isolated networks of one process. Its jobs share a bridge on which no two containers can talk; where the kernel cannot
 * filter a bridge, each job has one of its own. It goes with the last job that is in it.
 */
export class IsolatedNetworks {
  readonly #engine: ContainerEngine;
  readonly #owner: string;
  /** Whether this machine's packet filter is that of the engine. */
  readonly #guards: boolean;
  #shared: SharedNetwork | undefined;

  constructor(engine: ContainerEngine, options: { readonly owner: string; readonly guards: boolean }) {
    this.#engine = engine;
    this.#owner = options.owner;
    this.#guards = options.guards;
  }

  /**
   * A network for one job: made now, or one of this process that is there. Where the engine has no addresses left, it waits
   * until another network goes, as long as the job's signal allows.
   */
  async lease(waiting: NetworkWait): Promise<LeasedNetwork> {
    const shared = (this.#shared ??= {
      made: new SharedAnswer("the network", (until) => this.#make(true, { ...waiting, until })),
      users: 0,
    });
    shared.users += 1;
    const giveBack = () => this.#giveBack(shared);
    try {
      return { ...(await shared.made.before(waiting.until)), giveBack };
    } catch (error) {
      await giveBack();
      if (!NO_FILTER.test(messageOf(error))) throw error;
    }
    const own = await this.#make(false, waiting);
    return { ...own, giveBack: () => own.remove() };
  }

  async #giveBack(shared: SharedNetwork): Promise<void> {
    shared.users -= 1;
    if (shared.users > 0) return;
    if (this.#shared === shared) this.#shared = undefined;
    await shared.made.answer.then(
      (network) => network.remove(),
      () => undefined,
    );
  }

  /** The call itself is not given up: it may have made the network all the same. */
  async #make(apart: boolean, { progress, until }: NetworkWait): Promise<MadeNetwork> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#makeNow(apart);
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

  async #makeNow(apart: boolean): Promise<MadeNetwork> {
    const mark = randomBytes(4).toString("hex");
    const [name, bridge] = [`${NETWORK_PREFIX}${mark}`, `${BRIDGE_PREFIX}${mark}`];
    await dockerCall(this.#engine, [
      ...["network", "create", "--driver", "bridge", "--ipv6=false", "--label", `${OWNER_LABEL}=${this.#owner}`],
      ...["--opt", `com.docker.network.bridge.name=${bridge}`, ...(apart ? ["--opt", `${ICC}=false`] : [])],
      name,
    ]);
    const guard = this.#guards ? await guardMetadata(bridge) : undefined;
    const relaxations = guard === undefined ? [UNGUARDED] : [];
    const remove = async () => {
      await removeNetwork(this.#engine, name);
      await guard?.lift();
    };
    return { name, relaxations, remove };
  }
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
