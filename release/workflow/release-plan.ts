import type { Release } from "./release-run.ts";
import type { Workflow } from "./document.ts";
import { instancesOf, inOrder } from "./jobs.ts";
import type { Job } from "./job.ts";
import { standInText } from "./stand-ins.ts";
import type { Value } from "./value.ts";

export interface PlannedStep {
  readonly title: string;
  /** What it does here: its first line, or the stand-in. */
  readonly does: string;
  readonly if?: string;
}

/** A job as far as it is known before anything has run. */
export interface PlannedJob {
  readonly key: string;
  readonly needs: readonly string[];
  readonly runsOn: readonly string[];
  readonly if?: string;
  /** Keys of its instances; the text of the expression where a job before has to say. */
  readonly matrix?: readonly string[] | string;
  /** The workflow that it calls. */
  readonly calls?: string;
  readonly steps: readonly PlannedStep[];
}

/** The jobs of a release in the order in which they could run, those of called workflows behind the job that calls. Pure. */
export function plannedJobs({ loaded }: Pick<Release, "loaded">): readonly PlannedJob[] {
  const planned = (workflow: Workflow, prefix: string): readonly PlannedJob[] =>
    inOrder(workflow.jobs).flatMap((job) => {
      const own = plannedJob(job, prefix);
      const below = "workflow" in job ? loaded.called.get(job.workflow) : undefined;
      return below === undefined ? [own] : [own, ...planned(below, `${own.key} / `)];
    });
  return planned(loaded.workflow, "");
}

function plannedJob(job: Job, prefix: string): PlannedJob {
  const { matrix } = job.strategy;
  const base = {
    key: `${prefix}${job.id}`,
    needs: job.needs.map((need) => `${prefix}${need}`),
    ...(job.if !== undefined && { if: job.if }),
    ...(matrix !== undefined && { matrix: plannedMatrix(job, prefix, matrix) }),
  };
  if ("workflow" in job) return { ...base, runsOn: [], calls: job.workflow, steps: [] };
  const steps = job.steps.map((step) => ({
    title: step.title,
    does: "run" in step ? (step.run.trim().split("\n")[0] ?? "") : standInText(step),
    ...(step.if !== undefined && { if: step.if }),
  }));
  return { ...base, runsOn: job.runsOn, steps };
}

function plannedMatrix(job: Job, prefix: string, matrix: unknown): readonly string[] | string {
  const text = JSON.stringify(matrix);
  if (text.includes("${{")) return typeof matrix === "string" ? matrix : text;
  return instancesOf(job, prefix, matrix as Value).map(({ key }) => key);
}
