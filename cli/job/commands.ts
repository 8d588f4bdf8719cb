import { readFile } from "node:fs/promises";
import path from "node:path";
import { randomUUID } from "node:crypto";
import { checkDescription } from "../../execution/job/description.ts";
import { findJob, readWholeHistory } from "../../execution/job/history.ts";
import type { Command } from "../command.ts";
import { noArguments, oneArgument, repeated } from "../options.ts";
import { imageBuildCommand, imagePushCommand } from "./image-build.ts";
import { imageHistoryCommand, imagePublishCommand, imageRollbackCommand } from "./image-publish.ts";
import { DESCRIPTION_HELP, DESCRIPTION_OPTIONS, describedJob } from "./run-options.ts";
import { historyText, recordedText } from "./run-text.ts";
import { historyFolder, runJob, RUNNER_HELP, RUNNER_OPTIONS } from "./runner.ts";
import { givenSecrets } from "./secret-options.ts";

const HISTORY = { options: { history: RUNNER_OPTIONS.history }, help: { history: RUNNER_HELP.history } };

const run: Command = {
  name: "job run",
  summary: "Run a script in a short-lived, locked-down container.",
  usage: "--image REF --script ID --parameters JSON",
  options: { ...DESCRIPTION_OPTIONS, ...RUNNER_OPTIONS },
  help: { ...DESCRIPTION_HELP, ...RUNNER_HELP },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const { secrets, values: given } = await secretsOf(values);
    return runJob(await describedJob(values, secrets), given, { values, progress });
  },
};

const list: Command = {
  name: "job list",
  summary: "List jobs that ran, the oldest first.",
  usage: "",
  ...HISTORY,
  async run({ values, positionals }) {
    noArguments(positionals);
    const jobs = await readWholeHistory(historyFolder(values));
    return { json: { jobs }, text: historyText(jobs) };
  },
};

const show: Command = {
  name: "job show",
  summary: "Show a job that ran: what it was asked, how it ended, what it printed.",
  usage: "DIR|ID",
  options: { ...HISTORY.options, log: { type: "boolean" } },
  help: { ...HISTORY.help, log: "print what the script wrote to standard output, then to standard error" },
  async run({ values, positionals }) {
    const job = await findJob(historyFolder(values), oneArgument(positionals, "DIR or ID"));
    if (values.log !== true) return { json: job, text: recordedText(job) };
    const [stdout, stderr] = await Promise.all(["stdout.log", "stderr.log"].map((name) => logOf(job.folder, name)));
    return { json: { ...job, stdout, stderr }, text: `${stdout ?? ""}${stderr ?? ""}`.replace(/\n$/, "") };
  },
};

const replay: Command = {
  name: "job replay",
  summary: "Run a job again as it was: same image, same commit, same parameters.",
  usage: "DIR|ID",
  options: RUNNER_OPTIONS,
  help: { ...RUNNER_HELP, secret: "each secret of the job anew: NAME, NAME=FILE or NAME=env:VARIABLE" },
  async run({ values, positionals, progress }) {
    const { description } = await findJob(historyFolder(values), oneArgument(positionals, "DIR or ID"));
    const { values: given } = await secretsOf(values);
    const { labels, job_id: replayed, image, image_digest: digest } = description;
    const mark = replayed.slice(0, 63).replace(/[^A-Za-z0-9]+$/, "");
    const again = {
      ...description,
      image: digest ?? image,
      job_id: randomUUID(),
      labels: { ...labels, "replay-of": mark },
    };
    return runJob(checkDescription(again), given, { values, progress });
  },
};

/** `kiln job run|list|show|replay`, and `kiln job image …` for the images that jobs run in. */
export const jobCommands: readonly Command[] = [
  ...[run, list, show, replay],
  ...[imageBuildCommand, imagePushCommand, imagePublishCommand, imageHistoryCommand, imageRollbackCommand],
];

function secretsOf(values: Parameters<Command["run"]>[0]["values"]) {
  const options = { environment: repeated(values, "secret"), file: repeated(values, "secret-file") };
  return givenSecrets(options, process.env);
}

async function logOf(folder: string, name: string): Promise<string> {
  return readFile(path.join(folder, name), "utf8").catch(() => "");
}
