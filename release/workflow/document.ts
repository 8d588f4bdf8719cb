import { LineCounter, parseDocument } from "yaml";
import { KilnError } from "../../errors.ts";
import { Fields } from "./fields.ts";
import { parseDefaults, parseJob, type Job, type RunDefaults } from "./job.ts";
import { optional } from "./step.ts";
import { parseTriggers, type Triggers } from "./trigger.ts";

/** A GitHub Actions workflow, as far as kiln runs it. Texts may hold expressions. */
export interface Workflow {
  /** Path below the repository, for errors. */
  readonly file: string;
  readonly name?: string;
  readonly on: Triggers;
  readonly env: Readonly<Record<string, string>>;
  readonly defaults: RunDefaults;
  /** In the order of the file. */
  readonly jobs: readonly Job[];
}

/**
 * Reads a workflow file. Whatever kiln would not do as GitHub does it is a usage error that names the file, the job, the
 * step and the key: nothing is left out in silence.
 */
export function parseWorkflow(text: string, file: string): Workflow {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new KilnError("usage", `${file}:${line}:${col} is no YAML: ${error.message}`, { mend: "Mend it there." });
  }
  const fields = new Fields(document.toJS(), `${file}:`);
  // Who may do what on GitHub, which run waits there for which, and what a run is called in its list.
  fields.understood("permissions", "concurrency", "run-name");
  const jobs = fields.below("jobs");
  const workflow = {
    file,
    ...optional("name", fields.text("name")),
    on: parseTriggers(fields),
    env: fields.texts("env"),
    defaults: parseDefaults(fields.below("defaults")),
    jobs: jobs.names.map((id) => parseJob(id, jobs.below(id))),
  };
  fields.end();
  if (workflow.jobs.length === 0) throw fields.fault("has no jobs");
  return workflow;
}
