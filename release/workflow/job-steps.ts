import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { holds, interpolate, interpolated, interpolatedValue, type Scope } from "./expression.ts";
import { runnerContext } from "./job-environment.ts";
import type { Result } from "./jobs.ts";
import type { StepRecord } from "./record.ts";
import { folderName, type JobPlaces } from "./run-places.ts";
import { saidError } from "./said-error.ts";
import type { JobTask, Session } from "./session.ts";
import { StepLog } from "./step-log.ts";
import { endGroup } from "./step-process.ts";
import { runAction, runScript, type StepEnd, type StepSetting } from "./step-run.ts";
import type { Step } from "./step.ts";
import { isTruthy, type ValueMap } from "./value.ts";

/** What may end a step, and what is then said of it. */
interface Stop {
  readonly signal: AbortSignal;
  readonly says: string;
}

/** The steps of one job: what each leaves to those after it, and what became of them. */
export class JobSteps {
  readonly records: StepRecord[] = [];
  readonly ends: StepEnd[] = [];
  readonly #task: JobTask;
  readonly #session: Session;
  readonly #places: JobPlaces;
  /** Of this machine; expressions do not see it. */
  readonly #base: Readonly<Record<string, string>>;
  #env: Readonly<Record<string, string>> = {};
  #results: Readonly<Record<string, ValueMap>> = {};
  #failed = false;

  constructor(task: JobTask, session: Session, places: JobPlaces, base: Readonly<Record<string, string>>) {
    this.#task = task;
    this.#session = session;
    this.#places = places;
    this.#base = base;
  }

  /** How the job stands: failed by a step or, by its caller, as a whole. */
  get result(): Result {
    if (this.#failed) return "failure";
    return this.#task.cancel.aborted ? "cancelled" : "success";
  }

  fail(): void {
    this.#failed = true;
  }

  setEnv(texts: Readonly<Record<string, string>>): void {
    this.#env = { ...this.#env, ...interpolated(texts, this.scope()) };
  }

  /** Ends what steps left in the background. */
  async endGroups(): Promise<void> {
    await Promise.all(this.ends.map(({ group }) => endGroup(group)));
  }

  /** What an expression of a step sees now. */
  scope(stepEnv: Readonly<Record<string, string>> = {}): Scope {
    const { contexts, job, cancel } = this.#task;
    const status = {
      success: this.result === "success",
      failure: this.#failed,
      cancelled: cancel.aborted,
    };
    const own = {
      github: { ...contexts.github, job: job.id, workspace: this.#places.workspace },
      env: { ...this.#env, ...stepEnv },
      steps: this.#results,
      runner: runnerContext(this.#places),
      job: { status: this.result },
    };
    return { contexts: { ...contexts, ...own }, status };
  }

  /** Runs a step where its `if` holds. `deadline` is the job's. Throws when interrupted, or for what cannot be evaluated. */
  async run(step: Step, index: number, deadline: AbortSignal): Promise<void> {
    this.#throwIfInterrupted();
    if (!holds(step.if, this.scope())) {
      this.#record(step, { result: "skipped", seconds: 0 }, "skipped", {});
      return;
    }
    const { title, job, cancel } = this.#task;
    // Several jobs share the one line: what is left of this one is no measure of it.
    this.#session.progress.update(`${title}: ${index + 1}/${job.steps.length} ${step.title}`, 0, 0);
    const began = performance.now();
    const log = `${String(index + 1).padStart(2, "0")}-${folderName(step.title)}.log`;
    const { end, stop, tail } = await this.#attempt(step, log, this.#stops(step, deadline));
    this.#throwIfInterrupted();
    this.ends.push(end);
    this.#env = { ...this.#env, ...end.env };
    const failure = stop?.says ?? end.failure;
    const outcome = outcomeOf(failure, stop?.signal === cancel);
    const forgiven = outcome === "failure" && this.truth(step.continueOnError);
    const result = forgiven ? "success" : outcome;
    const said = this.#session.masks.redactor.text(failure?.split("\n")[0] ?? "");
    const seconds = (performance.now() - began) / 1000;
    const error = stop === undefined ? saidError(tail) : undefined;
    const why = error === undefined ? said : `${said}: ${error}`;
    this.#record(step, { result, seconds, log, ...(failure !== undefined && { failure: why }) }, outcome, end.outputs);
    if (outcome === "failure") this.#tell(step, `${forgiven ? "failed, and may" : "failed"}: ${said}`, tail, log);
    if (result === "failure") this.fail();
  }

  truth(text: string | undefined): boolean {
    const value = text === undefined ? false : interpolatedValue(text, this.scope());
    return isTruthy(value) && value !== "false";
  }

  #throwIfInterrupted(): void {
    if (this.#session.signal.aborted) throw new KilnError("interrupted", "interrupted");
  }

  /** What may end a step. A job that is cancelled already runs what says always(): that is not cancelled again. */
  #stops(step: Step, deadline: AbortSignal): readonly Stop[] {
    const limit = millisecondsOf(step.timeoutMinutes, this.scope());
    const all = [
      { signal: this.#task.cancel, says: "cancelled: another job of its matrix failed" },
      { signal: deadline, says: "was ended: the job took longer than its timeout-minutes" },
      ...(limit === undefined
        ? []
        : [{ signal: AbortSignal.timeout(limit), says: "was ended: it took longer than its timeout-minutes" }]),
    ];
    return all.filter(({ signal }) => !signal.aborted);
  }

  /** Runs a step with a log of its own, and says what ended it where it did not end by itself. */
  async #attempt(step: Step, log: string, stops: readonly Stop[]) {
    const stepLog = new StepLog(path.join(this.#places.root, log), this.#session.masks);
    const signal = AbortSignal.any([this.#session.signal, ...stops.map((stop) => stop.signal)]);
    const end = await this.#ended(step, this.#setting(step, stepLog, signal));
    const stop = stops.find((one) => one.signal.aborted);
    const { tail } = stepLog;
    const why = stop?.says ?? end.failure;
    if (why !== undefined) stepLog.line(why);
    await stepLog.close();
    return { end, stop, tail };
  }

  async #ended(step: Step, setting: StepSetting): Promise<StepEnd> {
    try {
      return await ("run" in step ? runScript(step, setting) : runAction(step, setting));
    } catch (error) {
      const mend = error instanceof KilnError && error.mend !== undefined ? ` (${error.mend})` : "";
      return { outputs: {}, env: {}, path: [], summary: "", failure: `${messageOf(error)}${mend}` };
    }
  }

  #setting(step: Step, log: StepLog, signal: AbortSignal): StepSetting {
    const own = interpolated(step.env, this.scope());
    const all = { ...this.#base, ...this.#env, ...own };
    const folders = this.ends.toReversed().flatMap((end) => end.path);
    const { job, workflow, instance } = this.#task;
    return {
      session: this.#session,
      job: { ...this.#places, key: instance.key },
      scope: this.scope(own),
      env: { ...all, PATH: [...folders, all.PATH ?? ""].join(path.delimiter) },
      defaults: { ...workflow.defaults, ...job.defaults },
      log,
      signal,
    };
  }

  #record(
    step: Step,
    record: Omit<StepRecord, "title">,
    outcome: Result,
    outputs: Readonly<Record<string, string>>,
  ): void {
    this.records.push({ title: step.title, ...record });
    if (step.id === undefined) return;
    this.#results = { ...this.#results, [step.id]: { outcome, conclusion: record.result, outputs } };
  }

  #tell(step: Step, what: string, tail: readonly string[], log: string): void {
    this.#session.progress.note(
      [
        `${this.#task.title}: the step "${step.title}" ${what}`,
        ...tail.map((line) => `  | ${line}`),
        `  its log: ${path.join(this.#places.root, log)}`,
      ].join("\n    "),
    );
  }
}

function outcomeOf(failure: string | undefined, cancelled: boolean): Result {
  if (failure === undefined) return "success";
  return cancelled ? "cancelled" : "failure";
}

/** Milliseconds of a `timeout-minutes`; undefined where there is none. */
export function millisecondsOf(text: string | undefined, scope: Scope): number | undefined {
  if (text === undefined) return undefined;
  const found = Number(interpolate(text, scope));
  if (found > 0) return found * 60_000;
  throw new KilnError("failed", `timeout-minutes is ${text}, which is no number of minutes`);
}
