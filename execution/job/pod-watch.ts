import type { V1Pod } from "@kubernetes/client-node";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { longTimeout } from "../long-timeout.ts";
import { patiently, systemClock, type Clock } from "../patience.ts";
import type { ClusterJobs } from "./cluster-jobs.ts";
import type { JobDescription } from "./description.ts";
import type { JobOutput } from "./job-output.ts";
import { manifestName } from "./manifest.ts";
import { NO_POD, podState, type PodState } from "./pod-state.ts";
import { startProblem, type StartProblem } from "./start-problem.ts";
import { stopSeconds } from "./timeouts.ts";

/** A Job of the cluster, and where what its pod prints goes to. */
export interface WatchedJob {
  readonly description: JobDescription;
  readonly namespace: string;
  /** Another Job may have had the same name, and its pod may still be there. */
  readonly uid: string;
  readonly output: Pick<JobOutput, "line" | "result">;
  readonly progress: Progress;
}

const ASK_EVERY_MS = 500;
/** How often the cluster is asked why a pod does not start. */
const ASK_WHY_EVERY_MS = 2_000;
/** How long what may pass within minutes is waited for: a registry that is away for a moment is none. */
const BRIEF_MS = 120_000;
/** How long an API server may be away, such as for its own update, or the kubelet that has a log: the pod runs on meanwhile. */
const AWAY_MS = 300_000;

/** Follows the pod of one Job from before it is there to its end. */
export class PodWatch {
  readonly #cluster: ClusterJobs;
  readonly #job: WatchedJob;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #said = new Set<string>();
  #lines = 0;
  /** At which line the log ended when it was last read, without a broken connection. */
  #endedAtLine = -1;
  #log: "cut" | "whole" | "refused" = "cut";
  #endedSince: number | undefined;
  #askWhyAt: number;
  #heldSince: number | undefined;
  #problem: StartProblem | undefined;

  constructor(cluster: ClusterJobs, job: WatchedJob, clock: Clock = systemClock) {
    this.#cluster = cluster;
    this.#job = job;
    this.#name = manifestName(job.description);
    this.#clock = clock;
    this.#askWhyAt = clock.now() + ASK_WHY_EVERY_MS;
  }

  /** Why its pod has not started so far; undefined once it has. */
  get problem(): string | undefined {
    return this.#problem?.text;
  }

  /** Whether its log was read to its end, which the result is. */
  get isLogWhole(): boolean {
    return this.#job.output.result !== undefined || this.#log === "whole";
  }

  /**
   * Gives how the pod ended, or how it stood where it can never start. Where the job is stopped, its Job is ended, which
   * gives the pod its grace, and the pod is followed all the same. The log of one that has ended is asked for until it came
   * whole, is refused, or cannot be had for minutes. Throws where the cluster does not answer for minutes.
   */
  async untilEnd(stop: AbortSignal): Promise<PodState> {
    let [last, isSeen]: [PodState, boolean] = [NO_POD, false];
    let giveUp: AbortSignal | undefined;
    for (;;) {
      if (stop.aborted) {
        giveUp ??= longTimeout((stopSeconds(this.#job.description.timeouts) + 15) * 1000);
        // Each time again: one such call can be lost.
        await this.#cluster.end(this.#name, this.#job.namespace).catch(() => undefined);
      }
      const isStopped = giveUp !== undefined;
      const pod = await this.#read(() => this.#cluster.pod(this.#job.uid, this.#job.namespace), isStopped);
      if (pod !== undefined) [last, isSeen] = [podState(pod), true];
      if (pod !== undefined && last.phase !== "waiting") {
        this.#problem = undefined;
        await this.#follow(last, giveUp ?? stop);
      }
      const isGone = pod === undefined && (isSeen || isStopped);
      if (isGone || this.#isOver(last) || giveUp?.aborted === true) return last;
      if (last.phase === "waiting") {
        const error = await this.#hopeless(pod, isStopped);
        if (error !== undefined) return { ...last, error };
      }
      await this.#clock.sleep(ASK_EVERY_MS);
    }
  }

  /** An API server that is away for a moment says nothing of the pod. */
  #read<T>(ask: () => Promise<T>, isStopped: boolean): Promise<T> {
    const isFinal = (error: unknown) => isStopped || !(error instanceof KilnError && error.kind === "unreachable");
    return patiently(ask, { clock: this.#clock, withinMs: AWAY_MS, isFinal });
  }

  /** Says what keeps the pod from starting, each thing once, and gives it where waiting longer cannot help. */
  async #hopeless(pod: V1Pod | undefined, isStopped: boolean): Promise<string | undefined> {
    const now = this.#clock.now();
    if (now < this.#askWhyAt) return undefined;
    this.#askWhyAt = now + ASK_WHY_EVERY_MS;
    const { uid, namespace, progress } = this.#job;
    if (pod === undefined) {
      const job = await this.#read(() => this.#cluster.job(this.#name, namespace), isStopped);
      if (job?.metadata?.uid !== uid) return "its Job was removed";
    }
    // They are for people: who may not read them has the pod's own state.
    const events = await this.#cluster.events(pod?.metadata?.uid ?? uid, namespace).catch(() => []);
    this.#problem = startProblem(pod, events);
    if (this.#problem === undefined) {
      this.#heldSince = undefined;
      return undefined;
    }
    const { text, outlook } = this.#problem;
    if (!this.#said.has(text)) progress.note(`its pod has not started yet: ${text}`);
    this.#said.add(text);
    this.#heldSince = outlook === "brief" ? (this.#heldSince ?? now) : undefined;
    const isOverdue = this.#heldSince !== undefined && now - this.#heldSince >= BRIEF_MS;
    return outlook === "hopeless" || isOverdue ? text : undefined;
  }

  /** Whether a pod has ended, and nothing more of its log can be waited for. */
  #isOver({ phase, error }: PodState): boolean {
    if (phase !== "ended") return false;
    const now = this.#clock.now();
    this.#endedSince ??= now;
    // One that never started has no log.
    if (error !== "" || this.isLogWhole || this.#log === "refused") return true;
    return now - this.#endedSince >= AWAY_MS;
  }

  /** A log that is followed again begins at its first line. */
  async #follow({ name: pod, phase }: PodState, until: AbortSignal): Promise<void> {
    if (this.#job.output.result !== undefined) return;
    let at = 0;
    const onLine = (line: string) => {
      at += 1;
      if (at <= this.#lines) return;
      this.#lines = at;
      this.#job.output.line(line);
    };
    try {
      await this.#cluster.follow(pod, this.#job.namespace, onLine, until);
    } catch (error) {
      const isAway = error instanceof KilnError && error.kind === "unreachable";
      this.#log = isAway ? "cut" : "refused";
      return;
    }
    if (until.aborted) return;
    // A connection that ends without a word may have been cut: at one line twice, and after the pod, is the log's own end.
    this.#log = phase === "ended" && at === this.#endedAtLine ? "whole" : "cut";
    this.#endedAtLine = at;
  }
}
