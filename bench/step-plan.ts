import type { Method, Step } from "./step.ts";

/** What of earlier runs there is, by the steps' ids. */
export interface Progressed {
  /** Steps whose results are known. */
  readonly done: ReadonlySet<string>;
  /** Those of them whose files are there as well. */
  readonly standing: ReadonlySet<string>;
}

/** Kiln comes last: it is told which programs the others could not compile. */
const METHODS: readonly Method[] = ["common", "published", "corrected", "kiln"];

/**
 * The steps that have to run for the results of `wanted`, each after what it needs: those without a result, and those
 * with one whose files are gone and are needed again. A method's steps stay together, since what they leave on disk goes after the last of them.
 */
export function planSteps(wanted: readonly Step<unknown>[], { done, standing }: Progressed): readonly Step<unknown>[] {
  const planned = new Map<string, Step<unknown>>();
  const visit = (step: Step<unknown>, needsFiles: boolean) => {
    if (planned.has(step.id)) return;
    if (done.has(step.id) && (!needsFiles || standing.has(step.id))) return;
    for (const earlier of step.after ?? []) visit(earlier, true);
    for (const earlier of step.reads ?? []) visit(earlier, false);
    planned.set(step.id, step);
  };
  for (const step of wanted) visit(step, false);
  return METHODS.flatMap((method) => [...planned.values()].filter((step) => step.method === method));
}
