import { KilnError, messageOf } from "../../errors.ts";
import { allEnded } from "./all-ended.ts";
import type { Workflow } from "./document.ts";
import { holds, interpolate, interpolated, interpolatedTree, interpolatedValue, type Scope } from "./expression.ts";
import { checkedInputs } from "./inputs.ts";
import type { CallJob, Job, StepJob } from "./job.ts";
import { combinedOutputs, combinedResult, instancesOf, statusAfter, type Instance, type Result } from "./jobs.ts";
import { matrixLabel } from "./matrix.ts";
import type { JobRecord } from "./record.ts";
import type { JobTask } from "./session.ts";
import { laneOf, Slots } from "./slots.ts";
import { asText, isList } from "./value.ts";
import { contextsOf, type End, type JobEnd, type JobHost, type WorkflowCall } from "./workflow-call.ts";

/** What an instance begins with: the jobs that it waited for, whether one was done anew, and what cancels it. */
type Circumstances = Pick<WorkflowCall, "after" | "anew" | "cancel">;

/** Runs a workflow that a job calls. */
export type RunCalled = (workflow: Workflow, call: WorkflowCall, host: JobHost) => Promise<End>;

/** One job of a workflow with all its instances. */
export class JobCall {
  readonly #workflow: Workflow;
  readonly #job: Job;
  readonly #call: WorkflowCall;
  readonly #host: JobHost;
  readonly #run: RunCalled;

  constructor(workflow: Workflow, job: Job, call: WorkflowCall, host: JobHost, run: RunCalled) {
    this.#workflow = workflow;
    this.#job = job;
    this.#call = call;
    this.#host = host;
    this.#run = run;
  }

  async run(needs: ReadonlyMap<string, JobEnd>, above: readonly Result[]): Promise<End> {
    const [job, call] = [this.#job, this.#call];
    const entries = [...needs].map(([id, { result, outputs }]) => [id, { result, outputs }] as const);
    const contexts = { ...contextsOf(call), needs: Object.fromEntries(entries) };
    const after = [...call.after, ...[...needs.values()].flatMap(({ keys }) => keys)];
    const anew = call.anew || [...needs.values()].some((end) => end.anew);
    const stopped = call.cancel.aborted || this.#host.signal.aborted;
    const scope: Scope = { contexts, status: statusAfter(above, stopped) };
    try {
      if (this.#host.signal.aborted) return this.#left(this.#key, "cancelled", anew);
      if (!holds(job.if, scope)) return this.#left(this.#key, stopped ? "cancelled" : "skipped", anew);
      const { matrix } = job.strategy;
      const instances = instancesOf(
        job,
        call.prefix,
        matrix === undefined ? undefined : interpolatedTree(matrix, scope),
      );
      return await this.#runAll(instances, scope, { after, anew });
    } catch (error) {
      if (this.#host.signal.aborted || !(error instanceof KilnError)) throw error;
      return this.#left(this.#key, "failure", true, messageOf(error));
    }
  }

  get #key(): string {
    return `${this.#call.prefix}${this.#job.id}`;
  }

  #left(key: string, result: Result, anew: boolean, message?: string): End {
    this.#host.left(this.#job, key, result, message);
    return { result, outputs: {}, keys: [], anew };
  }

  async #runAll(instances: readonly Instance[], scope: Scope, from: Omit<Circumstances, "cancel">): Promise<End> {
    const { failFast, maxParallel } = this.#job.strategy;
    const quick = interpolate(failFast, scope) === "true" && instances.length > 1;
    const most = maxParallel === undefined ? instances.length : Number(interpolate(maxParallel, scope));
    if (!(most >= 1)) throw new KilnError("failed", `max-parallel is ${maxParallel ?? ""}, which is no number of jobs`);
    const room = new Slots(most);
    const failure = new AbortController();
    const cancel = AbortSignal.any([this.#call.cancel, failure.signal]);
    const strategy = { "fail-fast": quick, "job-total": instances.length, "max-parallel": most };
    const runOne = async (instance: Instance): Promise<End> => {
      const contexts = {
        ...scope.contexts,
        matrix: instance.matrix,
        strategy: { ...strategy, "job-index": instance.index },
      };
      const end = await this.#runInstance(instance, { contexts, status: scope.status }, { ...from, cancel });
      if (quick && end.result === "failure") failure.abort();
      return end;
    };
    const ends = await allEnded(instances.map((instance) => room.within("", () => runOne(instance))));
    return {
      result: combinedResult(ends.map(({ result }) => result)),
      outputs: combinedOutputs(ends.map(({ outputs }) => outputs)),
      keys: ends.flatMap(({ keys }) => keys),
      anew: ends.some(({ anew }) => anew),
    };
  }

  async #runInstance(instance: Instance, scope: Scope, from: Circumstances): Promise<End> {
    if (from.cancel.aborted) return this.#left(instance.key, "cancelled", from.anew);
    return "workflow" in this.#job
      ? this.#runCalled(this.#job, instance, scope, from)
      : this.#runSteps(this.#job, instance, scope, from);
  }

  async #runSteps(
    job: StepJob,
    instance: Instance,
    scope: Scope,
    { after, anew, cancel }: Circumstances,
  ): Promise<End> {
    const { slots, signal } = this.#host;
    const labels = labelsOf(job, scope);
    const lane = laneOf(labels);
    const title = this.#title(job, instance, scope);
    const { contexts } = scope;
    const task: JobTask = {
      ...{ workflow: this.#workflow, job, instance, title, lane, labels, after, contexts, cancel },
      ...(job.environment !== undefined && { environment: interpolate(job.environment, scope) }),
      ...(job.group !== undefined && { group: interpolate(job.group, scope) }),
    };
    const recalled = anew ? undefined : this.#host.recall(instance.key);
    if (recalled !== undefined) return endOf(recalled, false);
    return slots.within(lane, async () => {
      if (cancel.aborted || signal.aborted) return this.#left(instance.key, "cancelled", anew);
      return endOf(await this.#host.run(task), true);
    });
  }

  /** As GitHub shows it: a name that says nothing of the matrix gets its values behind it. */
  #title({ name }: StepJob, { key, matrix }: Instance, scope: Scope): string {
    if (name === undefined) return key;
    return `${this.#call.prefix}${interpolate(name, scope)}${name.includes("matrix") ? "" : matrixLabel(matrix)}`;
  }

  async #runCalled(
    job: CallJob,
    instance: Instance,
    scope: Scope,
    { after, anew, cancel }: Circumstances,
  ): Promise<End> {
    const workflow = this.#host.called.get(job.workflow);
    if (workflow?.on.call === undefined) throw new KilnError("failed", `${job.workflow} was not read`);
    const given = Object.fromEntries(
      Object.entries(job.with).map(([name, text]) => [name, interpolatedValue(text, scope)]),
    );
    const inputs = checkedInputs(workflow.on.call.inputs, given, `${job.where} calls ${job.workflow}:`);
    const secrets = job.secrets === "inherit" ? this.#call.secrets : interpolated(job.secrets, scope);
    const { github, vars } = this.#call;
    const call = { prefix: `${instance.key} / `, inputs, secrets, vars, github, after, anew, cancel };
    return this.#run(workflow, call, this.#host);
  }
}

function endOf({ key, result, tolerated, outputs }: JobRecord, anew: boolean): End {
  // What may fail counts as done for the jobs after it, as on GitHub.
  return { result: tolerated === true ? "success" : result, outputs, keys: [key], anew };
}

function labelsOf(job: StepJob, scope: Scope): readonly string[] {
  const values = job.runsOn.map((label) => interpolatedValue(label, scope));
  return values.flatMap((value) => (isList(value) ? value : [value])).map(asText);
}
