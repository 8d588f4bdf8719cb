import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import { interpolated } from "./expression.ts";
import { jobEnvironment } from "./job-environment.ts";
import { JobSteps, millisecondsOf } from "./job-steps.ts";
import type { JobRecord } from "./record.ts";
import { jobPlaces, type JobPlaces } from "./run-places.ts";
import type { JobTask, Session } from "./session.ts";

/** What GitHub gives a job that says nothing. */
const JOB_MINUTES = 360;

/** Runs the steps of one job in folders of its own and gives what is to be recorded of it. Throws when interrupted. */
export async function runJob(task: JobTask, session: Session, folder: string): Promise<JobRecord> {
  const startedAt = Date.now();
  const places = jobPlaces(session.folders, folder);
  const eventFile = path.join(places.root, "event.json");
  const github = { ...task.contexts.github, job: task.job.id };
  const base = jobEnvironment(session.env, { places: session.places, job: places, key: task.instance.key, github });
  const steps = new JobSteps(task, session, places, { ...base, GITHUB_EVENT_PATH: eventFile });
  let outputs: Readonly<Record<string, string>> = {};
  let message: string | undefined;
  try {
    await makeFolders(places);
    await writeFile(eventFile, JSON.stringify(task.contexts.github?.event ?? {}, null, 2));
    await runSteps(task, steps);
    if (steps.result === "success") outputs = publicOutputs(task, steps, session);
  } catch (error) {
    if (session.signal.aborted) throw error;
    steps.fail();
    message = session.masks.redactor.text(messageOf(error));
  } finally {
    await steps.endGroups();
  }
  await writeSummary(steps, session, places);
  const { result } = steps;
  const tolerated = result === "failure" && steps.truth(task.job.continueOnError);
  if (result === "success") await tidy(task, steps, session, places);
  return {
    ...{ key: task.instance.key, title: task.title, folder, lane: task.lane, after: task.after },
    ...{ result, outputs, steps: steps.records, startedAt, endedAt: Date.now(), attempt: session.state.attempt },
    artifacts: steps.ends.flatMap(({ artifact }) => artifact ?? []),
    ...(tolerated && { tolerated }),
    ...(message !== undefined && { message }),
  };
}

async function makeFolders(places: JobPlaces): Promise<void> {
  await removeFolder(places.root);
  for (const folder of [places.workspace, places.home, places.temp]) await mkdir(folder, { recursive: true });
}

async function runSteps({ workflow, job }: JobTask, steps: JobSteps): Promise<void> {
  steps.setEnv(workflow.env);
  steps.setEnv(job.env);
  const deadline = AbortSignal.timeout(millisecondsOf(job.timeoutMinutes, steps.scope()) ?? JOB_MINUTES * 60_000);
  for (const [index, step] of job.steps.entries()) {
    await steps.run(step, index, deadline);
    if (deadline.aborted) throw new KilnError("failed", "it took longer than its timeout-minutes");
  }
}

/** Outputs that hold a secret are left out, as on GitHub: other jobs and the state file would show them. */
function publicOutputs(task: JobTask, steps: JobSteps, { masks, progress }: Session): Readonly<Record<string, string>> {
  const all = Object.entries(interpolated(task.job.outputs, steps.scope()));
  const kept = all.filter(([, value]) => !masks.touches(value));
  for (const [name] of all.filter((entry) => !kept.includes(entry))) {
    progress.note(`${task.title}: the output ${name} holds a secret and is left out`);
  }
  return Object.fromEntries(kept);
}

/** What steps wrote for people (GITHUB_STEP_SUMMARY), as one page. */
async function writeSummary({ ends }: JobSteps, { masks }: Session, places: JobPlaces): Promise<void> {
  const page = ends.map(({ summary }) => summary).join("");
  if (page !== "") await writeFile(path.join(places.root, "summary.md"), masks.redactor.text(page));
}

/** Once a job has succeeded, its logs and summary are all that anybody asks for; the rest may be gigabytes. */
async function tidy(task: JobTask, { ends }: JobSteps, session: Session, places: JobPlaces): Promise<void> {
  for (const { afterJob } of ends) {
    await afterJob?.().catch((error: unknown) => {
      session.progress.note(`${task.title}: nothing is kept for the next run: ${messageOf(error)}`);
    });
  }
  for (const folder of [places.workspace, places.home, places.temp]) await removeFolder(folder);
}
