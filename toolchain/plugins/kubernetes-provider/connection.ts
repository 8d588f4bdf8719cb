import { ApiRefusal, Unreachable } from "./api-answer.ts";
import { Cluster } from "./cluster.ts";
import { readKubeConfig, type ClusterChoice } from "./kube-config.ts";

/** How long a cluster may take to say that it is there. A preview waits for it once. */
const FIRST_ANSWER_MS = 5_000;

/** The cluster of one provider, looked for once, when it is first needed. */
export class Connection {
  readonly #choice: ClusterChoice;
  #found: Promise<Cluster | Unreachable> | undefined;

  constructor(choice: ClusterChoice) {
    this.#choice = choice;
  }

  /** The cluster, or why there is none. */
  look(): Promise<Cluster | Unreachable> {
    this.#found ??= find(this.#choice);
    return this.#found;
  }

  /** The cluster. Throws `Unreachable` where there is none. */
  async need(): Promise<Cluster> {
    const found = await this.look();
    if (found instanceof Unreachable) throw found;
    return found;
  }
}

async function find(choice: ClusterChoice): Promise<Cluster | Unreachable> {
  const config = await readKubeConfig(choice);
  if (typeof config === "string") return new Unreachable(config);
  const cluster = new Cluster(config);
  try {
    const answer = await cluster.ask("GET", "/version", {}, FIRST_ANSWER_MS);
    if (answer.status < 400) return cluster;
    return new Unreachable(`the API server at ${cluster.address} refuses: ${new ApiRefusal(answer).message}`);
  } catch (error) {
    if (error instanceof Unreachable) return error;
    throw error;
  }
}
