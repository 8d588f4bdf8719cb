import { cp, mkdir } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { connectClusterJobs } from "../../execution/job/cluster-jobs.ts";
import { createArguments } from "../../execution/container-plan.ts";
import type { JobDescription } from "../../execution/job/description.ts";
import { DockerRunner } from "../../execution/job/docker-runner.ts";
import { dockerPlan } from "../../execution/job/docker-plan.ts";
import { pruneHistory } from "../../execution/job/history.ts";
import { readInput, type JobInput } from "../../execution/job/input-folder.ts";
import { jobNetworkPolicy } from "../../execution/job/job-network-policy.ts";
import { jobSecretData } from "../../execution/job/job-secret.ts";
import { KubernetesRunner } from "../../execution/job/kubernetes-runner.ts";
import { jobManifest } from "../../execution/job/manifest.ts";
import { JOBS_NETWORK } from "../../execution/job/network.ts";
import type { SecretValues } from "../../execution/job/secret-document.ts";
import { readyEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import type { Invocation, Outcome } from "../command.ts";
import { optional, repeated } from "../options.ts";
import { jobDocument, jobExitCode, jobText, sayJobEvent } from "./run-text.ts";

type Values = Invocation["values"];

const TEXT = { type: "string" } as const;

/** Where and how a described job runs. */
export const RUNNER_OPTIONS = {
  on: TEXT,
  namespace: TEXT,
  context: TEXT,
  open: { type: "string", multiple: true },
  artifacts: TEXT,
  history: TEXT,
  keep: TEXT,
  secret: { type: "string", multiple: true },
  "secret-file": { type: "string", multiple: true },
  "dry-run": { type: "boolean" },
} as const;

export const RUNNER_HELP = {
  on: "docker or kubernetes (default: docker)",
  namespace: "of the Kubernetes Job (default: that of the context)",
  context: "of the kubeconfig (default: the current one)",
  open: "a block of addresses that a Kubernetes Job may reach beside the internet, such as 10.1.2.0/24; repeat it for several",
  artifacts: "a folder that the artifacts are copied to as well",
  history: "the folder of all jobs' folders",
  keep: "how many ended jobs the history keeps (default: all)",
  secret: "NAME, NAME=FILE or NAME=env:VARIABLE: a variable of the script; never its value; repeat it for several",
  "secret-file": "the same as a file, whose path is in the variable NAME",
  "dry-run": "print the container or the Kubernetes objects that would be made, without secrets",
} as const;

/** The folder of the history that options mean. */
export function historyFolder(values: Values): string {
  return path.resolve(optional(values, "history") ?? path.join(places().state, "jobs"));
}

/** Runs a described job where the options say, or prints what would be made. */
export async function runJob(
  description: JobDescription,
  secrets: SecretValues,
  { values, progress }: Pick<Invocation, "values" | "progress">,
): Promise<Outcome> {
  const on = optional(values, "on") ?? "docker";
  if (on !== "docker" && on !== "kubernetes") {
    throw new KilnError("usage", `--on ${on} is no runner`, { mend: "Write docker or kubernetes." });
  }
  if (values["dry-run"] === true) return dryRun(description, on, values);
  const history = historyFolder(values);
  const keep = keptOf(values);
  const options = {
    ...{ description, secrets, history, progress },
    onEvent: (event: Parameters<typeof sayJobEvent>[0]) => {
      sayJobEvent(event, progress);
    },
  };
  const ended = on === "docker" ? await onDocker(options) : await onKubernetes(options, values);
  const artifacts = optional(values, "artifacts");
  if (artifacts !== undefined) await copyArtifacts(ended.folder, path.resolve(artifacts));
  if (keep !== undefined) await pruneHistory(history, keep);
  return { json: jobDocument(ended), text: jobText(ended), exitCode: jobExitCode(ended.result) };
}

type Options = Parameters<DockerRunner["run"]>[0];

async function onDocker(options: Options) {
  const { progress } = options;
  if (progress === undefined) throw new TypeError("a command has a progress");
  const runner = await DockerRunner.connect(await readyEngine({ places: places(), progress }));
  return runner.run(options);
}

async function onKubernetes(options: Options, values: Values) {
  const cluster = await connectClusterJobs(optional(values, "context"));
  const namespace = optional(values, "namespace");
  return new KubernetesRunner({ cluster, namespace, open: repeated(values, "open") }).run(options);
}

async function dryRun(description: JobDescription, on: "docker" | "kubernetes", values: Values): Promise<Outcome> {
  // Read for what is wrong with it, which shall not show in the run alone.
  const input = await readInput(description);
  const document = on === "docker" ? dockerDocument(description, values) : objectsOf(description, input, values);
  return { json: document, text: JSON.stringify(document, null, 2) };
}

function dockerDocument(description: JobDescription, values: Values): unknown {
  const network = description.network === "isolated" ? JOBS_NETWORK : description.network;
  const placing = { owner: "…", historyFolder: historyFolder(values), inputFolder: "…" };
  const plan = dockerPlan(description, { imageId: description.image_digest ?? description.image, network, ...placing });
  return { description, plan, docker: ["docker", "run", ...createArguments(plan)] };
}

/** All objects but the Secret, of which the names of its keys alone. */
function objectsOf(description: JobDescription, input: JobInput, values: Values): unknown {
  const namespace = optional(values, "namespace") ?? "default";
  const { files, data } = jobSecretData({}, input);
  const policy = jobNetworkPolicy(description, { namespace, open: repeated(values, "open") });
  return { description, job: jobManifest(description, { namespace, files }), policy, secretKeys: Object.keys(data) };
}

async function copyArtifacts(folder: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  try {
    await cp(path.join(folder, "artifacts"), to, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new KilnError("failed", `the artifacts are in ${folder}, but not in ${to}: ${messageOf(error)}`);
  }
}

function keptOf(values: Values): number | undefined {
  const text = optional(values, "keep");
  if (text === undefined) return undefined;
  const keep = Number(text);
  if (/^\d+$/.test(text) && keep >= 1) return keep;
  throw new KilnError("usage", `--keep ${text} is no number of jobs`, { mend: "Write such as 100." });
}
