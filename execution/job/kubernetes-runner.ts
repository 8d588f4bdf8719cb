import { messageOf } from "../../errors.ts";
import { silent } from "../../progress.ts";
import type { Clock } from "../patience.ts";
import { Redactor } from "../redactor.ts";
import { sandboxOf } from "../sandbox.ts";
import type { ClusterJobs } from "./cluster-jobs.ts";
import { settleClusterOrphans } from "./cluster-orphans.ts";
import { clusterResult, mostBytes } from "./cluster-result.ts";
import type { JobDescription } from "./description.ts";
import { finalResult } from "./final-result.ts";
import { JobHistory } from "./history.ts";
import { readInput } from "./input-folder.ts";
import { JobDeadline } from "./job-deadline.ts";
import { jobNetworkPolicy, type JobNetworkPolicy } from "./job-network-policy.ts";
import type { JobRun, JobRunOptions } from "./job-options.ts";
import { JobOutput } from "./job-output.ts";
import { jobSecretData, type JobSecretData } from "./job-secret.ts";
import { bytesOf } from "./limits.ts";
import { jobManifest, manifestName } from "./manifest.ts";
import { ownerMark } from "./orphans.ts";
import { pinInput } from "./pinned-description.ts";
import { NO_POD } from "./pod-state.ts";
import { PodWatch } from "./pod-watch.ts";
import { secretDocument, secretTexts } from "./secret-document.ts";

export interface KubernetesRunnerOptions {
  readonly cluster: ClusterJobs;
  readonly namespace?: string | undefined;
  /** Blocks that jobs may reach beside the internet. */
  readonly open?: readonly string[];
  readonly clock?: Clock;
}

const RELAXATIONS = [
  "processes: a pod cannot limit them, the node's kubelet does (podPidsLimit)",
  "the network: its policy holds where the cluster's network enforces policies",
];

/** An image that can be pulled again as it was. */
const PINNED = /^[^@\s]+@sha256:[0-9a-f]{64}$/;

/** Runs jobs as Kubernetes Jobs of one pod that runs at most once. */
export class KubernetesRunner {
  readonly #cluster: ClusterJobs;
  readonly #namespace: string;
  readonly #open: readonly string[];
  readonly #clock: Clock | undefined;
  #settled: Promise<unknown> | undefined;

  constructor({ cluster, namespace, open = [], clock }: KubernetesRunnerOptions) {
    this.#cluster = cluster;
    this.#namespace = namespace ?? cluster.namespace;
    this.#open = open;
    this.#clock = clock;
  }

  /** Runs a job to its end and returns its result, as `DockerRunner.run` does. */
  async run(options: JobRunOptions): Promise<JobRun> {
    const { secrets = {}, progress = silent } = options;
    const document = secretDocument(options.description, secrets);
    const input = await readInput(options.description);
    const description = pinInput(options.description, input);
    const secret = jobSecretData(document, input);
    const policy = jobNetworkPolicy(description, { namespace: this.#namespace, open: this.#open });
    const name = manifestName(description);
    const place = { cluster: this.#cluster, namespace: this.#namespace, history: options.history, progress };
    await (this.#settled ??= settleClusterOrphans(place));
    const deadline = new JobDeadline(description.timeouts, options.signal);
    const history = await JobHistory.begin(options.history, description, name);
    const output = new JobOutput({
      folder: history.folder,
      redactor: new Redactor(secretTexts(secrets)),
      mostBytes: mostBytes(description),
      onEvent: options.onEvent ?? (() => undefined),
    });
    progress.step(`job ${description.job_id}: ${description.script} in the namespace ${this.#namespace}`);
    let state = NO_POD;
    let problem: string | undefined;
    let isLogWhole = false;
    const remove = async (kind: "Job" | "Secret") => {
      // Where making it was refused, the objects of this name are another run's.
      if (!made) return;
      await this.#cluster.remove(kind, name, this.#namespace).catch((error: unknown) => {
        progress.note(`the ${kind} ${name} could not be removed: ${messageOf(error)}`);
      });
    };
    let made = false;
    try {
      const uid = await this.#make(description, { secret, policy }, () => (made = true));
      const watched = { description, namespace: this.#namespace, uid, output, progress };
      const watch = new PodWatch(this.#cluster, watched, this.#clock);
      state = await watch.untilEnd(deadline.signal);
      ({ problem, isLogWhole } = watch);
    } catch (error) {
      const facts = { ...NO_POD, error: messageOf(error) };
      await history.end(finalResult(description, undefined, { facts, cause: deadline.cause })).catch(() => undefined);
      throw error;
    } finally {
      // Before what may throw: whatever came is there, and nothing of it stays open.
      await output.close().catch(() => false);
      // A Job that ended may stay for people to look at, and so its log that could not be read; its secrets may not, nor a pod
      // that could still start.
      await remove("Secret");
      if (state.phase !== "ended" || (deadline.cause !== undefined && isLogWhole)) await remove("Job");
    }
    await output.close();
    const result = clusterResult(description, output, { state, cause: deadline.cause, problem, isLogWhole });
    const digest = state.image;
    // One without a repository was put on the node: nobody could pull it by that again.
    const pinned = PINNED.test(digest) ? { ...description, image_digest: digest } : description;
    await history.describe(pinned);
    await history.end(result);
    return {
      ...{ result, description: pinned, folder: history.folder, runner: "kubernetes", container: name },
      sandbox: { ...this.#sandbox(description), relaxations: RELAXATIONS },
    };
  }

  #sandbox({ limits, network }: JobDescription) {
    const { memory, cpus, pids, disk } = limits;
    return sandboxOf({ memory: String(bytesOf(memory)), cpus, pids, tmpfsBytes: bytesOf(disk) }, network);
  }

  /**
   * The Job owns the others, so that they go with it. Its pod cannot start without its Secret, which comes last: before that
   * stands the policy. Returns the Job's uid.
   */
  async #make(
    description: JobDescription,
    { secret, policy }: { readonly secret: JobSecretData; readonly policy: JobNetworkPolicy },
    onMade: () => void,
  ): Promise<string> {
    const [name, namespace] = [manifestName(description), this.#namespace];
    const placing = { namespace, files: secret.files, owner: ownerMark() };
    const job = await this.#cluster.create(jobManifest(description, placing));
    onMade();
    const uid = job.metadata?.uid ?? "";
    const owner = { apiVersion: "batch/v1", kind: "Job", name, uid, controller: false };
    await this.#cluster.create({ ...policy, metadata: { ...policy.metadata, ownerReferences: [owner] } });
    await this.#cluster.create({
      ...{ apiVersion: "v1", kind: "Secret", type: "Opaque", immutable: true, data: secret.data },
      metadata: { name, namespace, labels: policy.metadata.labels, ownerReferences: [owner] },
    });
    return uid;
  }
}
