import { KilnError, messageOf } from "../errors.ts";
import { duration } from "../cli/printer.ts";
import type { Results } from "./figure.ts";
import { soundSteps, withStep, writeState, type BenchState } from "./state.ts";
import { planSteps } from "./step-plan.ts";
import type { Method, Step, StepContext } from "./step.ts";

export interface RunOptions {
  readonly context: Omit<StepContext, "result" | "known">;
  readonly wanted: readonly Step<unknown>[];
  readonly state: BenchState;
  /** What the result of a step depends on besides the selection. */
  readonly inputsOf: (step: string) => string;
  /** Removes what a method left, once the last of its steps has run; `failed` says whether one of them failed. */
  readonly clean: (context: StepContext, method: Method, failed: boolean) => Promise<void>;
}

/**
 * Runs the steps that have no result yet, each written to the state file when it ends. One that fails takes those down that
 * need it, and no others. Ctrl-C ends the run; what is done is kept.
 */
export async function runSteps(options: RunOptions): Promise<Results> {
  const { work, progress } = options.context;
  let { state } = options;
  const sound = new Set(soundSteps(state, options.inputsOf));
  const failures = new Map<string, string>();
  const result = <T>(step: Step<T>): T => {
    const failure = failures.get(step.id);
    if (failure !== undefined) throw new KilnError("failed", failure);
    const record = sound.has(step.id) ? state.steps[step.id] : undefined;
    if (record === undefined) throw new KilnError("failed", `${step.id} did not run`);
    return record.result as T;
  };
  const known = () => [...sound].map((id) => [id, state.steps[id]?.result] as const);
  const context: StepContext = { ...options.context, result, known };

  const plan = planSteps(options.wanted, {
    done: sound,
    standing: await standingSteps(options.wanted, sound, context),
  });
  for (const [index, step] of plan.entries()) {
    progress.step(`${index + 1}/${plan.length} ${step.title}`);
    const lost = [...(step.after ?? []), ...(step.reads ?? [])].find(({ id }) => failures.has(id));
    const start = performance.now();
    try {
      if (lost !== undefined) throw new KilnError("failed", `${lost.id} failed: ${failures.get(lost.id) ?? ""}`);
      sound.delete(step.id);
      const found = await step.run(context);
      const seconds = (performance.now() - start) / 1000;
      state = withStep(state, step.id, { result: found, seconds, inputs: options.inputsOf(step.id) });
      sound.add(step.id);
      await writeState(work, state);
      progress.note(`done in ${duration(seconds)}`);
    } catch (error) {
      if (error instanceof KilnError && error.kind === "interrupted") throw error;
      failures.set(step.id, messageOf(error));
      progress.note(`failed: ${messageOf(error)}`);
      if (error instanceof KilnError && error.mend !== undefined) progress.note(error.mend);
    }
    if (plan[index + 1]?.method !== step.method) {
      const failed = plan.some(({ id, method }) => method === step.method && failures.has(id));
      await options.clean(context, step.method, failed);
    }
  }
  return {
    result,
    maybe: (step) => (sound.has(step.id) ? result(step) : undefined),
  };
}

async function standingSteps(
  wanted: readonly Step<unknown>[],
  sound: ReadonlySet<string>,
  context: StepContext,
): Promise<ReadonlySet<string>> {
  const standing = new Set<string>();
  const looked = new Set<string>();
  const look = async (step: Step<unknown>) => {
    if (looked.has(step.id)) return;
    looked.add(step.id);
    for (const earlier of [...(step.after ?? []), ...(step.reads ?? [])]) await look(earlier);
    if (sound.has(step.id) && ((await step.standing?.(context)) ?? true)) standing.add(step.id);
  };
  for (const step of wanted) await look(step);
  return standing;
}
