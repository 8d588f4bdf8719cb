import { setTimeout as sleep } from "node:timers/promises";
import { KilnError, messageOf } from "../../errors.ts";
import { silent } from "../../progress.ts";
import { longTimeout } from "../long-timeout.ts";
import { patiently, systemClock } from "../patience.ts";
import { Redactor } from "../redactor.ts";
import { sandboxOf } from "../sandbox.ts";
import type { ClusterJobs } from "./cluster-jobs.ts";
import type { JobDescription } from "./description.ts";
import { finalResult } from "./final-result.ts";
import { JobHistory } from "./history.ts";
import { readInput } from "./input-folder.ts";
import { JobDeadline } from "./job-deadline.ts";
import { jobNetworkPolicy, type JobNetworkPolicy } from "./job-network-policy.ts";
import type { JobRun, JobRunOptions } from "./job-options.ts";
import { JobOutput, type JobEvent } from "./job-output.ts";
import { jobSecretData, type JobSecretData } from "./job-secret.ts";
import { bytesOf } from "./limits.ts";
import { jobManifest, manifestName } from "./manifest.ts";
import { pinInput } from "./pinned-description.ts";
import { podState, type PodState } from "./pod-state.ts";
import { resultOf, type JobResult } from "./result.ts";
import { secretDocument, secretTexts } from "./secret-document.ts";
import { stopSeconds } from "./timeouts.ts";

export interface KubernetesRunnerOptions {
  readonly cluster: ClusterJobs;
  readonly namespace?: string | undefined;
  /** Blocks that jobs may reach beside the internet. */
  readonly open?: readonly string[];
}

const ASK_EVERY_MS = 500;
/** How long an image may fail to be pulled: a registry that is away for a moment is none. */
const PULL_PATIENCE_MS = 120_000;
/** How long an API server may be away, such as for its own update: the pod runs on meanwhile. */
const AWAY_MS = 300_000;
const LOGS_BYTES = 64 * 1024 * 1024;
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

  constructor({ cluster, namespace, open = [] }: KubernetesRunnerOptions) {
    this.#cluster = cluster;
    this.#namespace = namespace ?? cluster.namespace;
    this.#open = open;
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
    const deadline = new JobDeadline(description.timeouts, options.signal);
    const history = await JobHistory.begin(options.history, description, name);
    const output = new JobOutput({
      folder: history.folder,
      redactor: new Redactor(secretTexts(secrets)),
      mostBytes: bytesOf(description.limits.disk) + LOGS_BYTES,
      onEvent: options.onEvent ?? (() => undefined),
    });
    progress.step(`job ${description.job_id}: ${description.script} in the namespace ${this.#namespace}`);
    let state: PodState | undefined;
    const remove = async (kind: "Job" | "Secret") => {
      // Where making it was refused, the objects of this name are another run's.
      if (!made) return;
      await this.#cluster.remove(kind, name, this.#namespace).catch((error: unknown) => {
        progress.note(`the ${kind} ${name} could not be removed: ${messageOf(error)}`);
      });
    };
    let made = false;
    try {
      await this.#make(description, { secret, policy }, () => (made = true));
      state = await this.#untilEnd(description, output, deadline.signal);
    } catch (error) {
      const facts = { exitCode: -1, outOfMemory: false, error: messageOf(error), startedAt: "", finishedAt: "" };
      await history.end(finalResult(description, undefined, { facts, cause: deadline.cause })).catch(() => undefined);
      throw error;
    } finally {
      // A Job that ended may stay for people to look at; its secrets may not, nor a pod that could still start.
      await remove("Secret");
      if (deadline.cause !== undefined || state?.phase !== "ended") await remove("Job");
    }
    await output.close();
    const facts = state ?? { exitCode: -1, outOfMemory: false, error: "", startedAt: "", finishedAt: "" };
    const fault = output.fault ?? (output.result === undefined ? "no result came with its log" : undefined);
    const written = output.result ?? summarized(description, output.summary);
    const final = finalResult(description, written, { facts, cause: deadline.cause, fault });
    const result = output.fault === undefined ? final : { ...final, notes: [...(final.notes ?? []), output.fault] };
    const digest = state?.image ?? "";
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

  /** The Job owns the others, so that they go with it; its pod starts once they are there. */
  async #make(
    description: JobDescription,
    { secret, policy }: { readonly secret: JobSecretData; readonly policy: JobNetworkPolicy },
    onMade: () => void,
  ): Promise<void> {
    const [name, namespace] = [manifestName(description), this.#namespace];
    const job = await this.#cluster.create(jobManifest(description, { namespace, files: secret.files }));
    onMade();
    const owner = { apiVersion: "batch/v1", kind: "Job", name, uid: job.metadata?.uid ?? "", controller: false };
    await this.#cluster.create({ ...policy, metadata: { ...policy.metadata, ownerReferences: [owner] } });
    await this.#cluster.create({
      ...{ apiVersion: "v1", kind: "Secret", type: "Opaque", immutable: true, data: secret.data },
      metadata: { name, namespace, labels: policy.metadata.labels, ownerReferences: [owner] },
    });
    await this.#cluster.suspend(name, namespace, false);
  }

  /** Follows the pod to its end. Where the job is stopped, its pod is ended as its grace says, and followed all the same. */
  async #untilEnd(description: JobDescription, output: JobOutput, stop: AbortSignal): Promise<PodState | undefined> {
    const [name, namespace] = [manifestName(description), this.#namespace];
    const since = performance.now();
    const lines = { seen: 0 };
    let [last, giveUp]: [PodState | undefined, AbortSignal | undefined] = [undefined, undefined];
    // An API server that is away for a moment says nothing of the pod.
    const isFinal = (error: unknown) =>
      giveUp !== undefined || !(error instanceof KilnError && error.kind === "unreachable");
    for (;;) {
      if (stop.aborted) {
        giveUp ??= longTimeout((stopSeconds(description.timeouts) + 15) * 1000);
        // Each time again: one such call can be lost.
        await this.#cluster.suspend(name, namespace, true).catch(() => undefined);
      }
      const read = () => this.#cluster.pod(name, namespace);
      const pod = await patiently(read, { clock: systemClock, withinMs: AWAY_MS, isFinal });
      last = pod === undefined ? last : podState(pod, performance.now() - since < PULL_PATIENCE_MS);
      if (pod !== undefined && last !== undefined && last.phase !== "waiting") {
        await this.#follow(last.name, lines, output, giveUp ?? stop);
      }
      const isOver = last?.phase === "ended" || (pod === undefined && (last !== undefined || giveUp !== undefined));
      if (isOver || last?.hopeless === true || giveUp?.aborted === true) return last;
      await sleep(ASK_EVERY_MS);
    }
  }

  /** A log that is followed again begins at its first line. */
  async #follow(pod: string, lines: { seen: number }, output: JobOutput, until: AbortSignal): Promise<void> {
    let at = 0;
    const onLine = (line: string) => {
      at += 1;
      if (at <= lines.seen) return;
      lines.seen = at;
      output.line(line);
    };
    await this.#cluster.follow(pod, this.#namespace, onLine, until).catch(() => undefined);
  }
}

/** The result that a job's last event tells, where the entrypoint does not print the result itself. */
function summarized(
  { job_id: id, attempt, script }: JobDescription,
  summary: JobEvent | undefined,
): JobResult | undefined {
  if (summary === undefined) return undefined;
  const { status, exit_code: exitCode, error, at } = summary;
  const notes = ["its entrypoint does not print files: artifacts stayed in the pod"];
  const known = { job_id: id, attempt, script_id: script, phase: "done", finished_at: at, notes };
  return resultOf({ ...known, status: status ?? null, exit_code: exitCode ?? null, error: error ?? null });
}
