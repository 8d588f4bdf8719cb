import { cpus } from "node:os";
import { EXIT, KilnError } from "../../errors.ts";
import { plannedJobs, type PlannedJob } from "../../release/workflow/release-plan.ts";
import { readRelease, runRelease, type Release, type ReleaseRun } from "../../release/workflow/release-run.ts";
import { readRegistryBytes } from "../../release/workflow/registry-bytes.ts";
import type { TimelineRow } from "../../release/workflow/timeline.ts";
import { places } from "../../toolchain/places.ts";
import type { Command, Invocation } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { duration, size, table } from "../printer.ts";

const DEFAULT_JOBS = 2;

/** `kiln release run`: the jobs of a GitHub workflow, on this machine. */
export const releaseRunCommand: Command = {
  name: "release run",
  summary: "Run the workflow that a tag starts on this machine: the same jobs that GitHub runs.",
  usage: "--tag TAG [--workflow FILE] [--input NAME=VALUE]… [--jobs N] [--fresh] [--dry-run]",
  options: {
    tag: { type: "string" },
    workflow: { type: "string" },
    input: { type: "string", multiple: true },
    jobs: { type: "string" },
    fresh: { type: "boolean" },
    "dry-run": { type: "boolean" },
  },
  help: {
    tag: "the tag; the jobs see its commit and nothing else of this checkout",
    workflow: "the workflow file (default: the one whose on.push.tags has the tag)",
    input: "a value for an input of on.workflow_dispatch; may be repeated",
    jobs: `jobs at once, of one lane never two (default: ${DEFAULT_JOBS})`,
    fresh: "begin anew, instead of repeating what failed or never ran",
    "dry-run": "print jobs and steps, and run nothing",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const jobs = jobsOf(values);
    const workflow = optional(values, "workflow");
    const options = {
      ...{ places: here, env: process.env, progress, tag: required(values, "tag"), inputs: inputsOf(values) },
      ...(workflow !== undefined && { workflow: workflow.replace(/^\.\//, "") }),
    };
    if (values["dry-run"] === true) {
      const release = await readRelease(options);
      const planned = plannedJobs(release);
      const { tag, commit, workflow: file } = release;
      return { json: { tag, commit, workflow: file, jobs: planned }, text: planText(release, planned) };
    }
    const run = await runRelease({
      ...options,
      jobs,
      fresh: values.fresh === true,
      readBytes: (windows) => readRegistryBytes(here, windows),
    });
    return { json: run, text: releaseText(run), exitCode: run.result === "success" ? EXIT.done : EXIT.failed };
  },
};

function inputsOf(values: Invocation["values"]): Readonly<Record<string, string>> {
  const pairs = repeated(values, "input").map((text) => {
    const [, name, value] = /^([A-Za-z_][\w-]*)=(.*)$/s.exec(text) ?? [];
    if (name !== undefined && value !== undefined) return [name, value] as const;
    throw new KilnError("usage", `--input ${text} is no NAME=VALUE`, {
      mend: "Such as --input registry=localhost:5180.",
    });
  });
  return Object.fromEntries(pairs);
}

function jobsOf(values: Invocation["values"]): number {
  const text = optional(values, "jobs") ?? String(DEFAULT_JOBS);
  const most = Math.max(DEFAULT_JOBS, cpus().length * 4);
  if (/^[1-9]\d*$/.test(text) && Number(text) <= most) return Number(text);
  throw new KilnError("usage", `--jobs ${text} is no number of jobs`, { mend: `Give 1 to ${most}.` });
}

/** What a run did, in lines for a person: the timeline, the critical path, and what failed. */
export function releaseText(run: ReleaseRun): string {
  const { timeline, sharedBytes, failures } = run;
  const counted = timeline.rows.some(({ bytes }) => bytes !== undefined);
  const head = ["job", "start", "took", "result", ...(counted ? ["read", "written"] : []), ""];
  const shared =
    sharedBytes === undefined || sharedBytes.read + sharedBytes.written === 0
      ? []
      : [["several at once", "", "", "", size(sharedBytes.read), size(sharedBytes.written), ""]];
  const path = timeline.criticalPath.map(({ title, seconds }) => `${title} ${duration(seconds)}`).join(" -> ");
  return [
    table([head, ...timeline.rows.map((row) => cells(row, counted)), ...shared]),
    "",
    ...(path === "" ? [] : [`critical path  ${path}`]),
    `total          ${duration(timeline.seconds)}${timeline.waited >= 1 ? `, of which ${duration(timeline.waited)} waiting for room` : ""}`,
    ...(counted ? [] : ["bytes moved    not counted: the loopback registry wrote no access log"]),
    ...Object.entries(run.outputs).map(([name, value]) => `output         ${name}: ${value}`),
    ...failures.map((failure) => `failed         ${failure}`),
    ending(run),
  ].join("\n");
}

function cells(
  { title, start, seconds, result, recalled, bytes, bar }: TimelineRow,
  counted: boolean,
): readonly string[] {
  const moved = [bytes === undefined ? "" : size(bytes.read), bytes === undefined ? "" : size(bytes.written)];
  return [
    title,
    start === undefined ? "" : `+${duration(start)}`,
    seconds === undefined ? "" : duration(seconds),
    recalled ? "done before" : result,
    ...(counted ? moved : []),
    bar,
  ];
}

function ending({ result, tag, workflow, commit, attempt, folder }: ReleaseRun): string {
  const what = `${workflow} for ${tag} (${commit.slice(0, 12)}), run ${attempt}`;
  if (result === "success") return `done: ${what}; logs in ${folder}`;
  return `${result}: ${what}; logs in ${folder}\nThe same command repeats what failed or never ran; --fresh repeats everything.`;
}

/** What a run would do, in lines for a person. */
export function planText(release: Pick<Release, "tag" | "commit" | "workflow">, jobs: readonly PlannedJob[]): string {
  const lines = jobs.flatMap((job) => {
    const { key, needs, runsOn, calls, matrix, steps } = job;
    const facts = [
      ...(calls === undefined ? [`on ${runsOn.join(", ")}`] : [`calls ${calls}`]),
      ...(needs.length === 0 ? [] : [`after ${needs.join(", ")}`]),
      ...(job.if === undefined ? [] : [`if ${job.if}`]),
    ];
    const shards = matrix === undefined ? [] : [`  matrix: ${typeof matrix === "string" ? matrix : matrix.join(", ")}`];
    const does = steps.map(({ title, does: what, if: condition }, index) => {
      const named = title === what || title === `Run ${what}` ? what : `${title}: ${what}`;
      return `  ${index + 1}. ${named}${condition === undefined ? "" : `  (if ${condition})`}`;
    });
    return ["", `${key}  (${facts.join("; ")})`, ...shards, ...does];
  });
  return [`${release.workflow} for ${release.tag} at ${release.commit.slice(0, 12)}`, ...lines].join("\n");
}
