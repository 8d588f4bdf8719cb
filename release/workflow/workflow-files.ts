import { KilnError } from "../../errors.ts";
import { parseWorkflow, type Workflow } from "./document.ts";
import { expressionsIn } from "./expression.ts";
import type { CallJob, Job } from "./job.ts";
import { inOrder } from "./jobs.ts";
import { readFileAt, readWorkflowFiles, type Repository } from "./repository.ts";
import { standInFor } from "./stand-ins.ts";
import { nodesOf, STATUS_FUNCTIONS, type Expression } from "./syntax.ts";
import { matchesTags } from "./tag-pattern.ts";

/** GitHub's limit of workflows that call each other. */
const MOST_LEVELS = 4;

/** Contexts that are known before anything runs. */
const SETTINGS: ReadonlySet<string> = new Set(["github", "inputs", "vars"]);

/** A workflow with all that it calls, by path. */
export interface Loaded {
  readonly workflow: Workflow;
  readonly called: ReadonlyMap<string, Workflow>;
  /** Workflows that it calls as `OWNER/REPO/…@REF`: GitHub reads them at REF, and a run here at the commit. */
  readonly elsewhere: readonly string[];
  /** Names of secrets and variables that any of them reads. */
  readonly secrets: readonly string[];
  readonly vars: readonly string[];
}

/** The workflow file that a tag starts, at its commit. Throws a usage error where there is none, or more than one. */
export async function readWorkflowFor(repository: Repository, commit: string, tag: string): Promise<string> {
  const files = await readWorkflowFiles(repository.project, commit);
  const all = await Promise.all(files.map((file) => readWorkflow(repository, commit, file)));
  const started = all.filter(({ workflow }) => matchesTags(tag, workflow.on.tags));
  const [first, ...others] = started.map(({ workflow }) => workflow.file);
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) {
    throw new KilnError("usage", `the tag ${tag} starts ${[first, ...others].join(" and ")}`, {
      mend: "Choose one with --workflow.",
    });
  }
  const patterns = all.flatMap(({ workflow }) => workflow.on.tags.map((pattern) => `${pattern} (${workflow.file})`));
  throw new KilnError("usage", `the tag ${tag} starts no workflow of its commit ${commit.slice(0, 12)}`, {
    mend:
      patterns.length === 0 ? "No workflow there has on.push.tags." : `Tags that start one: ${patterns.join(", ")}.`,
  });
}

/** A workflow file at a commit with all that it calls, every job and step of them understood. */
export async function loadWorkflow(repository: Repository, commit: string, file: string): Promise<Loaded> {
  const called = new Map<string, Workflow>();
  const texts: string[] = [];
  const load = async (path: string, above: readonly string[]): Promise<Workflow> => {
    const { workflow, text } = await readWorkflow(repository, commit, path);
    texts.push(text);
    inOrder(workflow.jobs);
    for (const job of workflow.jobs) {
      checkJob(job);
      if (!("workflow" in job)) continue;
      checkCall(job, [...above, path]);
      const below = await load(job.workflow, [...above, path]);
      if (below.on.call === undefined) throw fault(job, `calls ${job.workflow}, which has no on.workflow_call`);
      checkGiven(job, below);
      called.set(job.workflow, below);
    }
    return workflow;
  };
  const workflow = await load(file, []);
  const named = (context: string) => {
    const found = texts.flatMap((text) => [
      ...text.matchAll(new RegExp(`\\b${context}(?:\\.|\\[')([A-Za-z_]\\w*)`, "g")),
    ]);
    return [...new Set(found.flatMap(([, name]) => (name === undefined ? [] : [name])))].sort();
  };
  const uses = [workflow, ...called.values()].flatMap(({ jobs }) =>
    jobs.flatMap((job) => ("workflow" in job && job.elsewhere !== undefined ? [job.elsewhere] : [])),
  );
  return { workflow, called, elsewhere: [...new Set(uses)], secrets: named("secrets"), vars: named("vars") };
}

async function readWorkflow(repository: Repository, commit: string, file: string) {
  const text = await readFileAt(repository.project, commit, file);
  if (text !== undefined) return { text, workflow: parseWorkflow(text, file) };
  throw new KilnError("usage", `the commit ${commit.slice(0, 12)} has no file ${file}`, {
    mend: "A run takes everything from the tag's commit, as GitHub does: commit the file, and tag that commit.",
  });
}

function checkJob(job: Job): void {
  if ("workflow" in job) return;
  const foreign = job.runsOn.find((label) => /^(?:windows|macos)-/.test(label));
  if (foreign !== undefined) throw fault(job, `runs on ${foreign}, which this machine is not`);
  // What is a matter of settings may never have its turn, such as the login to a cloud that is not used.
  if (job.if !== undefined && isSetting(job.if)) return;
  for (const step of job.steps) if ("action" in step && step.if === undefined) standInFor(step);
}

/** Whether a condition asks for what is set, and not for what other jobs did. */
function isSetting(condition: string): boolean {
  const nodes = expressionsIn(condition, true).flatMap((expression) => [...nodesOf(expression)]);
  const contexts = nodes.flatMap((node) => (node.kind === "context" ? [node.name] : []));
  return contexts.length > 0 && contexts.every((name) => SETTINGS.has(name)) && !nodes.some(isStatus);
}

function isStatus(node: Expression): boolean {
  return node.kind === "call" && STATUS_FUNCTIONS.has(node.name);
}

function checkCall(job: CallJob, above: readonly string[]): void {
  if (above.includes(job.workflow)) throw fault(job, `calls ${job.workflow}, which calls it`);
  if (above.length >= MOST_LEVELS)
    throw fault(job, `is ${above.length} calls deep, and GitHub allows ${MOST_LEVELS - 1}`);
}

function checkGiven(job: CallJob, { on }: Workflow): void {
  const { inputs = {}, secrets = {} } = on.call ?? {};
  const stray = Object.keys(job.with).find((name) => !Object.hasOwn(inputs, name));
  if (stray !== undefined) throw fault(job, `gives ${job.workflow} the input ${stray}, which it does not take`);
  const missing = Object.keys(inputs).find((name) => inputs[name]?.required === true && !Object.hasOwn(job.with, name));
  if (missing !== undefined) throw fault(job, `gives ${job.workflow} no input ${missing}, which it needs`);
  if (job.secrets === "inherit") return;
  const given = job.secrets;
  const secret = Object.keys(given).find((name) => !Object.hasOwn(secrets, name));
  if (secret !== undefined) throw fault(job, `gives ${job.workflow} the secret ${secret}, which it does not take`);
}

function fault(job: Job, what: string): KilnError {
  return new KilnError("usage", `${job.where} ${what}`, { mend: "Mend the workflow file." });
}
