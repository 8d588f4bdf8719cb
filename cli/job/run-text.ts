import path from "node:path";
import { EXIT } from "../../errors.ts";
import type { RecordedJob, UnreadableJob } from "../../execution/job/history.ts";
import type { JobEvent } from "../../execution/job/job-output.ts";
import type { JobRun } from "../../execution/job/job-options.ts";
import type { JobResult } from "../../execution/job/result.ts";
import type { Progress } from "../../progress.ts";
import { printable, printableLine } from "../printable.ts";
import { size, table } from "../printer.ts";

/** What a person sees of a job that has ended. What its script or image wrote is shown, and never obeyed by a terminal. */
export function jobText({ result, folder, sandbox }: JobRun): string {
  return [
    ...resultLines(result),
    ...sandbox.relaxations.map((relaxation) => `not closed: ${relaxation}`),
    printableLine(`job ${result.job_id} in ${folder}`),
  ].join("\n");
}

function resultLines(result: JobResult): readonly string[] {
  const code = result.exit_code === null ? "" : ` (exit code ${result.exit_code})`;
  const rows = result.artifacts.map(({ name, bytes, sha256 }) => [
    printableLine(name),
    size(bytes),
    printableLine(sha256.slice(0, 12)),
  ]);
  return [
    printable(`${result.status}${code}${result.error === undefined ? "" : `: ${result.error}`}`),
    ...(rows.length === 0 ? [] : [table(rows)]),
    ...(result.notes ?? []).map((note) => printable(`note: ${note}`)),
  ];
}

/** The document of `--json`. */
export function jobDocument({ result, ...rest }: JobRun): unknown {
  return { ...result, execution: rest };
}

const REFUSED = new Set([...["bad_request", "bad_parameters", "script_missing", "script_ambiguous", "script_refused"]]);

/** The exit code of a job's command. */
export function jobExitCode({ status, error_detail: detail }: JobResult): number {
  if (status === "succeeded") return EXIT.done;
  if (status === "canceled") return EXIT.interrupted;
  return detail !== undefined && REFUSED.has(detail.code) ? EXIT.usage : EXIT.failed;
}

/** Says an event as it comes: the script's lines as they are, phases as steps. */
export function sayJobEvent(event: JobEvent, progress: Progress): void {
  const text = (name: string) => (typeof event[name] === "string" ? event[name] : "");
  if (event.kind === "phase") progress.step(text("phase"));
  else if (event.kind === "output") progress.note(text("text"));
  else if (event.kind === "note") progress.note(`note: ${text("message")}`);
}

/** A line a job, and why those that are damaged cannot be read. */
export function historyText(jobs: readonly (RecordedJob | UnreadableJob)[]): string {
  if (jobs.length === 0) return "no jobs";
  const faults = jobs.flatMap((job) => (job.status === "unreadable" ? [printableLine(job.fault)] : []));
  return [table([["folder", "status", "exit", "script", "artifacts"], ...jobs.map(historyRow)]), ...faults].join("\n");
}

function historyRow(job: RecordedJob | UnreadableJob): readonly string[] {
  const folder = printableLine(path.basename(job.folder));
  if (job.status === "unreadable") return [folder, job.status, "-", "-", "-"];
  const { status, result, description } = job;
  const [exit, artifacts] = [String(result?.exit_code ?? "-"), String(result?.artifacts.length ?? 0)];
  return [folder, status, exit, description.script, artifacts];
}

/** One job of the past, with where its script and image came from. */
export function recordedText({ folder, description, status, result }: RecordedJob): string {
  const { source, image, image_digest: digest, parameters, script, secrets, network, limits } = description;
  const from = source.kind === "repository" ? source.url : source.path;
  const at = source.kind === "directory" ? source.sha256?.slice(0, 12) : source.commit.slice(0, 12);
  return [
    table(
      [
        ["job", description.job_id],
        ["folder", folder],
        ["script", `${script} from ${from}${at === undefined ? "" : ` at ${at}`}`],
        ["image", digest ?? image],
        ["parameters", JSON.stringify(parameters).slice(0, 400)],
        ["secrets", secrets.map(({ name }) => name).join(", ") || "none"],
        [
          "limits",
          `memory ${limits.memory}, cpus ${limits.cpus}, pids ${limits.pids}, disk ${limits.disk}; network ${network}`,
        ],
        ["times", result === undefined ? status : `${result.started_at} to ${result.finished_at ?? "?"}`],
      ].map(([what = "", value = ""]) => [what, printableLine(value)]),
    ),
    ...(result === undefined ? [status] : resultLines(result)),
  ].join("\n");
}
