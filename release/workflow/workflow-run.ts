import { allEnded } from "./all-ended.ts";
import type { Workflow } from "./document.ts";
import { interpolated } from "./expression.ts";
import { JobCall } from "./job-call.ts";
import { combinedResult, inOrder, statusAfter } from "./jobs.ts";
import { contextsOf, type End, type JobEnd, type JobHost, type WorkflowCall } from "./workflow-call.ts";

/** Runs all jobs of a workflow, each as soon as what it needs has ended. */
export async function runWorkflow(workflow: Workflow, call: WorkflowCall, host: JobHost): Promise<End> {
  const ends = new Map<string, Promise<JobEnd>>();
  for (const job of inOrder(workflow.jobs)) {
    const needs = job.needs.map(async (need) => [need, await ends.get(need)] as const);
    ends.set(job.id, runAfter(new JobCall(workflow, job, call, host, runWorkflow), needs));
  }
  const named = await allEnded([...ends].map(async ([id, end]) => [id, await end] as const));
  const all = named.map(([, end]) => end);
  return {
    result: combinedResult(all.map(({ result }) => result)),
    outputs: outputsOf(workflow, call, new Map(named)),
    keys: all.flatMap(({ keys }) => keys),
    anew: call.anew || all.some(({ anew }) => anew),
  };
}

/**
 * What a called workflow gives its caller. Of another, as `job.output`: what the workflows that it calls give, and the
 * outputs of the jobs that no job needs.
 */
function outputsOf(workflow: Workflow, call: WorkflowCall, ends: ReadonlyMap<string, JobEnd>) {
  if (workflow.on.call === undefined || call.prefix === "") {
    const needed = new Set(workflow.jobs.flatMap(({ needs }) => needs));
    const shown = new Set(workflow.jobs.filter((job) => "workflow" in job || !needed.has(job.id)).map(({ id }) => id));
    const last = [...ends].filter(([id]) => shown.has(id));
    const named = last.flatMap(([id, end]) =>
      Object.entries(end.outputs).map(([name, value]) => [`${id}.${name}`, value]),
    );
    return Object.fromEntries(named) as Readonly<Record<string, string>>;
  }
  const jobs = Object.fromEntries([...ends].map(([id, { result, outputs }]) => [id, { result, outputs }]));
  return interpolated(workflow.on.call.outputs, {
    contexts: { ...contextsOf(call), jobs },
    status: statusAfter([], false),
  });
}

type Needs = readonly Promise<readonly [string, JobEnd | undefined]>[];

async function runAfter(job: JobCall, needs: Needs): Promise<JobEnd> {
  const known = (await Promise.all(needs)).flatMap(([id, end]) => (end === undefined ? [] : [[id, end] as const]));
  const above = known.flatMap(([, end]) => end.above);
  const end = await job.run(new Map(known), above);
  return { ...end, above: [...above, end.result] };
}
