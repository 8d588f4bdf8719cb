import { Fields } from "./fields.ts";
import { checkShell, optional, parseStep, type Step } from "./step.ts";

export interface Strategy {
  /** Lists by name with `include` and `exclude`, or one expression; values may be expressions. */
  readonly matrix?: unknown;
  readonly failFast: string;
  readonly maxParallel?: string;
}

interface JobBase {
  readonly id: string;
  /** As people read it; may hold expressions. */
  readonly name?: string;
  readonly needs: readonly string[];
  readonly if?: string;
  readonly strategy: Strategy;
  readonly where: string;
}

/** A job of steps. */
export interface StepJob extends JobBase {
  readonly runsOn: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly environment?: string;
  /** Its concurrency group: of its jobs, of whatever run, one at a time. */
  readonly group?: string;
  readonly timeoutMinutes?: string;
  readonly continueOnError?: string;
  readonly defaults: RunDefaults;
  readonly steps: readonly Step[];
}

/** A job that is another workflow of the repository. */
export interface CallJob extends JobBase {
  /** Path of the file, below the repository. */
  readonly workflow: string;
  /** As it is written: `OWNER/REPO/.github/workflows/NAME.yml@REF`; absent for `./…`, which is of the same commit. */
  readonly elsewhere?: string;
  readonly with: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>> | "inherit";
}

export type Job = StepJob | CallJob;

export interface RunDefaults {
  readonly shell?: string;
  readonly workingDirectory?: string;
}

/** Reads `defaults`, of a workflow or a job. */
export function parseDefaults(fields: Fields): RunDefaults {
  const run = fields.below("run");
  const shell = run.text("shell");
  checkShell(shell, run);
  const defaults = { ...optional("shell", shell), ...optional("workingDirectory", run.text("working-directory")) };
  run.end();
  fields.end();
  return defaults;
}

/** Reads one job. Throws a usage error that names the place and key. */
export function parseJob(id: string, fields: Fields): Job {
  if (!/^[A-Za-z_][\w-]*$/.test(id)) throw fields.fault("has a name of other characters than letters, digits, - and _");
  const base = {
    id,
    ...optional("name", fields.text("name")),
    needs: fields.list("needs"),
    ...optional("if", fields.condition("if")),
    strategy: parseStrategy(fields.below("strategy")),
    where: fields.where,
  };
  // What a job may do on GitHub: nothing of it is here.
  fields.understood("permissions");
  const job = fields.has("uses") ? parseCall(base, fields) : parseSteps(base, fields);
  fields.end();
  return job;
}

function parseCall(base: JobBase, fields: Fields): CallJob {
  const uses = fields.needed("uses");
  const [, repository, file] =
    /^(?:\.|([\w.-]+\/[\w.-]+))\/(\.github\/workflows\/[\w.-]+\.ya?ml)(?:@[\w./-]+)?$/.exec(uses) ?? [];
  if (file === undefined || (repository === undefined) === uses.includes("@")) {
    throw fields.fault(
      `is ${uses}`,
      "uses",
      "Write ./.github/workflows/NAME.yml, or OWNER/REPO/.github/workflows/NAME.yml@REF.",
    );
  }
  // Its jobs have groups of their own; the lock of a run stands for one of the call.
  fields.understood("concurrency");
  const inherit = fields.raw("secrets") === "inherit";
  return {
    ...base,
    workflow: file,
    ...optional("elsewhere", repository === undefined ? undefined : uses),
    with: fields.texts("with"),
    secrets: inherit ? "inherit" : fields.texts("secrets"),
  };
}

function parseSteps(base: JobBase, fields: Fields): StepJob {
  const steps = fields.raw("steps");
  if (!Array.isArray(steps) || steps.length === 0) throw fields.fault("has neither steps nor uses");
  const parsed = steps.map((step: unknown, index) => parseStep(new Fields(step, fields.at(`steps[${index}]`))));
  const ids = parsed.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw fields.fault(`has two steps with the id ${twice}`);
  return {
    ...base,
    runsOn: parseRunsOn(fields),
    outputs: fields.texts("outputs"),
    env: fields.texts("env"),
    ...optional("environment", parseEnvironment(fields)),
    ...optional("group", parseGroup(fields)),
    ...optional("timeoutMinutes", fields.text("timeout-minutes")),
    ...optional("continueOnError", fields.text("continue-on-error")),
    defaults: parseDefaults(fields.below("defaults")),
    steps: parsed,
  };
}

function parseStrategy(fields: Fields): Strategy {
  const strategy = {
    ...optional("matrix", fields.tree("matrix")),
    failFast: fields.text("fail-fast") ?? "true",
    ...optional("maxParallel", fields.text("max-parallel")),
  };
  fields.end();
  return strategy;
}

/** Labels of a runner, or the name of a scale set; `group` and `labels` say the same in two keys. */
function parseRunsOn(fields: Fields): readonly string[] {
  const value = fields.raw("runs-on");
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const labels = fields.list("runs-on");
    if (labels.length === 0) throw fields.fault("has no runs-on");
    return labels;
  }
  const below = fields.below("runs-on");
  const labels = [...below.list("group"), ...below.list("labels")];
  below.end();
  return labels;
}

/** The group of `concurrency`. Who comes later waits here, whatever is said of that: nobody's job is ended for another's. */
function parseGroup(fields: Fields): string | undefined {
  if (typeof fields.raw("concurrency") !== "object") return fields.text("concurrency");
  const below = fields.below("concurrency");
  const group = below.needed("group");
  below.understood("cancel-in-progress", "queue");
  below.end();
  return group;
}

function parseEnvironment(fields: Fields): string | undefined {
  if (typeof fields.raw("environment") !== "object") return fields.text("environment");
  const below = fields.below("environment");
  const name = below.needed("name");
  below.understood("url");
  below.end();
  return name;
}
