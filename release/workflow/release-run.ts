import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { Places } from "../../toolchain/places.ts";
import { withLock } from "../../toolchain/lock.ts";
import { interruption } from "../../toolchain/process.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import type { Window } from "./access-log.ts";
import { Artifacts } from "./artifacts.ts";
import { githubContext } from "./github-context.ts";
import { givenInputs } from "./inputs.ts";
import { dropIncomplete, JobHistory } from "./job-history.ts";
import type { Result } from "./jobs.ts";
import { endLeftProcesses } from "./left-process.ts";
import { readRepository, readTagCommit, readUncommitted } from "./repository.ts";
import { runPlaces } from "./run-places.ts";
import { readRunState, type RunIdentity, type RunState } from "./run-state.ts";
import type { Session } from "./session.ts";
import { Slots } from "./slots.ts";
import { Masks } from "./step-log.ts";
import { timelineOf, type Bytes, type Timeline } from "./timeline.ts";
import { loadWorkflow, readWorkflowFor, type Loaded } from "./workflow-files.ts";
import { runWorkflow } from "./workflow-run.ts";

export interface ReleaseOptions {
  readonly places: Places;
  readonly env: NodeJS.ProcessEnv;
  readonly tag: string;
  /** Path of a workflow file below the checkout; the one that the tag starts where absent. */
  readonly workflow?: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly progress: Progress;
}

/** What would run for a tag. */
export interface Release extends RunIdentity {
  readonly loaded: Loaded;
  readonly repository: string;
}

export interface RunOptions extends ReleaseOptions {
  /** Jobs at once. */
  readonly jobs: number;
  /** Forget what is recorded. */
  readonly fresh: boolean;
  /** Ends everything; Ctrl-C where absent. */
  readonly signal?: AbortSignal;
  /** Bytes that jobs moved to and from a registry; undefined where nothing counts them. */
  readonly readBytes?: (windows: readonly Window[]) => Promise<RegistryBytes | undefined>;
}

export interface RegistryBytes {
  readonly jobs: ReadonlyMap<string, Bytes>;
  readonly shared: Bytes;
}

/** A run of a tag's jobs on this machine, at its end. */
export interface ReleaseRun extends RunIdentity {
  readonly result: Result;
  /** The how-manieth run of the tag. */
  readonly attempt: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly timeline: Timeline;
  /** Bytes that one of several jobs at once moved. */
  readonly sharedBytes?: Bytes;
  readonly failures: readonly string[];
  readonly folder: string;
}

/** What a tag starts, read at its commit and understood as a whole. Throws a usage error for all that would go wrong. */
export async function readRelease(options: ReleaseOptions): Promise<Release> {
  const { places, env, tag, inputs } = options;
  const repository = await readRepository(places.project, env);
  const commit = await readTagCommit(places.project, tag);
  const workflow = options.workflow ?? (await readWorkflowFor(repository, commit, tag));
  const loaded = await loadWorkflow(repository, commit, workflow);
  givenInputs(loaded.workflow.on.dispatch, inputs, workflow);
  return {
    tag,
    commit,
    workflow,
    inputs,
    loaded,
    repository: repository.name ?? `local/${path.basename(places.project)}`,
  };
}

/**
 * Runs the jobs that a tag starts, on this machine; of a run that was there before, only what had failed or never ran.
 * Waits for another run of the tag. Throws for bad input and for a tag that has moved; a failed job is a result.
 */
export async function runRelease(options: RunOptions): Promise<ReleaseRun> {
  const release = await readRelease(options);
  const folders = runPlaces(options.places.work, release.tag, release.workflow);
  return withLock(`${folders.root}.lock`, options.progress, `the release of ${release.tag}`, async () => {
    // Of a run that was killed: they would write into what this one makes anew.
    await endLeftProcesses(folders);
    if (options.fresh) await removeFolder(folders.root);
    const state = await readRunState(folders.root, identityOf(release));
    await sayWhatIsLeftOut(release, options);
    return runJobs(release, options, state);
  });
}

function identityOf({ tag, commit, workflow, inputs }: Release): RunIdentity {
  return { tag, commit, workflow, inputs };
}

async function sayWhatIsLeftOut({ loaded, commit }: Release, { env, progress, places }: RunOptions): Promise<void> {
  const unset = loaded.secrets.filter((name) => (env[name] ?? "") === "");
  if (unset.length > 0)
    progress.note(`empty, as no variable of this environment has them: secrets ${unset.join(", ")}`);
  for (const uses of loaded.elsewhere) {
    const ref = uses.slice(uses.indexOf("@") + 1);
    progress.note(`${uses} is read at commit ${commit.slice(0, 12)} of this checkout; GitHub reads it at ${ref}`);
  }
  const changed = await readUncommitted(places.project);
  if (changed > 0) progress.note(`${changed} uncommitted files take no part: jobs see commit ${commit.slice(0, 12)}`);
}

async function runJobs(release: Release, options: RunOptions, state: RunState): Promise<ReleaseRun> {
  const { loaded } = release;
  const { env, progress, places, signal = interruption.signal } = options;
  const folders = runPlaces(places.work, release.tag, release.workflow);
  const secrets = namedValues(loaded.secrets, env);
  const artifacts = new Artifacts(folders.artifacts, (job) => state.drop(job));
  const masks = new Masks([...Object.values(secrets), env.GITHUB_TOKEN ?? ""].filter((secret) => secret !== ""));
  const { commit, repository } = release;
  const session: Session = {
    places,
    folders,
    commit,
    repository,
    env,
    masks,
    artifacts,
    state,
    progress,
    signal,
  };
  await dropIncomplete(session);
  await state.write();
  const history = new JobHistory(session, loaded.called, new Slots(options.jobs));
  const call = {
    ...{ prefix: "", secrets, vars: namedValues(loaded.vars, env), after: [], anew: false },
    inputs: givenInputs(loaded.workflow.on.dispatch, release.inputs, release.workflow),
    github: githubContext({ ...release, name: loaded.workflow.name ?? release.workflow, attempt: state.attempt, env }),
    cancel: new AbortController().signal,
  };
  const end = await runWorkflow(loaded.workflow, call, history);
  if (signal.aborted) throw new KilnError("interrupted", "interrupted");
  return {
    ...identityOf(release),
    ...(await summary(history, options)),
    ...end,
    attempt: state.attempt,
    folder: folders.root,
  };
}

async function summary(history: JobHistory, { readBytes }: RunOptions) {
  const ran = history.jobs.flatMap(({ key, recalled, startedAt, endedAt }) =>
    recalled || startedAt === undefined || endedAt === undefined ? [] : [{ key, startedAt, endedAt }],
  );
  const bytes = ran.length === 0 ? undefined : await readBytes?.(ran);
  const jobs = history.jobs.map((job) => {
    const moved = bytes?.jobs.get(job.key);
    return moved === undefined ? job : { ...job, bytes: moved };
  });
  return { timeline: timelineOf(jobs), failures: history.failures, ...(bytes && { sharedBytes: bytes.shared }) };
}

/** Values by name from the environment of whoever runs it; empty where it has none, as GitHub has it. */
function namedValues(names: readonly string[], env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, env[name] ?? ""]));
}
