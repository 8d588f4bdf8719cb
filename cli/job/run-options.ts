import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { KilnError, messageOf } from "../../errors.ts";
import { checkDescription, JOB_API, type JobDescription, type JobSecret } from "../../execution/job/description.ts";
import { parseLimits } from "../../execution/job/limits.ts";
import { pinSource } from "../../execution/job/pinned-source.ts";
import { DEFAULT_TIMEOUTS, type JobTimeouts } from "../../execution/job/timeouts.ts";
import { isObject } from "../../execution/module/document.ts";
import { parseExactJson, type Json, type JsonObject } from "../../execution/module/json.ts";
import type { Invocation } from "../command.ts";
import { optional, repeated, required } from "../options.ts";
import { VAULT_HELP, VAULT_OPTIONS, vaultSettings } from "./vault-options.ts";

type Values = Invocation["values"];

const TEXT = { type: "string" } as const;
const TEXTS = { type: "string", multiple: true } as const;

/** What a job is made of. */
export const DESCRIPTION_OPTIONS = {
  image: TEXT,
  script: TEXT,
  parameters: TEXT,
  repo: TEXT,
  ref: TEXT,
  limits: TEXT,
  timeout: TEXT,
  "idle-timeout": TEXT,
  "job-timeout": TEXT,
  grace: TEXT,
  network: TEXT,
  ...VAULT_OPTIONS,
  "result-url": TEXT,
  label: TEXTS,
  "job-id": TEXT,
} as const;

export const DESCRIPTION_HELP = {
  image: "the runner image, by digest or name; a name is pinned to what it is now",
  script: "the script below --repo, without .py or .ps1, such as ops/restart",
  parameters: "a JSON object, or @FILE",
  repo: "a repository's address, or a folder (default: .); with --ref at that commit, without it as it stands",
  ref: "a commit, tag or branch: what it is now is what runs, and what is recorded",
  limits: "memory=1g,cpus=1,pids=256,disk=256m: any of them (these are the defaults)",
  timeout: "how long the script may run: 90s, 30m, 2h (default: what --job-timeout leaves)",
  "idle-timeout": "how long it may say nothing (default: any time)",
  "job-timeout": "how long all of it may take, artifacts included (default: 1h)",
  grace: "what the script has between SIGTERM and SIGKILL (default: 10s)",
  network: "isolated (a network of its own), none, or a network's name (default: isolated)",
  ...VAULT_HELP,
  "result-url":
    "where the container posts its result; with the secret RESULT_TOKEN as a bearer token, over https alone",
  label: "name=value, repeated for several",
  "job-id": "the job's id (default: a new one)",
} as const;

/** The description that options make; the ref is resolved here. */
export async function describedJob(values: Values, secrets: readonly JobSecret[]): Promise<JobDescription> {
  const limits = optional(values, "limits");
  const vault = await vaultOf(values);
  const resultUrl = optional(values, "result-url");
  return checkDescription({
    api_version: JOB_API,
    job_id: optional(values, "job-id") ?? randomUUID(),
    attempt: 1,
    image: required(values, "image"),
    script: required(values, "script"),
    parameters: await objectOf("parameters", optional(values, "parameters") ?? "{}"),
    source: await pinSource(optional(values, "repo") ?? ".", optional(values, "ref")),
    limits: parseLimits(limits ?? ""),
    timeouts: timeoutsOf(values),
    network: optional(values, "network") ?? "isolated",
    secrets,
    ...(vault === undefined ? {} : { vault }),
    ...(resultUrl === undefined ? {} : { result_url: resultUrl }),
    labels: Object.fromEntries(repeated(values, "label").map(labelOf)),
  });
}

function timeoutsOf(values: Values): JobTimeouts {
  const [script, idle] = [seconds(values, "timeout"), seconds(values, "idle-timeout")];
  const [job, grace] = [seconds(values, "job-timeout"), seconds(values, "grace")];
  return {
    ...DEFAULT_TIMEOUTS,
    ...(script === undefined ? {} : { script }),
    ...(idle === undefined ? {} : { idle }),
    ...(grace === undefined ? {} : { grace }),
    // A script that may run for two hours shall not meet a job's hour, nor what that keeps for the script's end.
    job: job ?? Math.max(DEFAULT_TIMEOUTS.job, (script ?? 0) + (grace ?? DEFAULT_TIMEOUTS.grace) + 110),
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

function seconds(values: Values, option: string): number | undefined {
  const text = optional(values, option);
  if (text === undefined) return undefined;
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (amount !== undefined) return Number(amount) * (UNITS[unit] ?? 1);
  throw new KilnError("usage", `--${option} ${text} is no time`, { mend: "Write such as 90s, 30m or 2h." });
}

async function vaultOf(values: Values): Promise<JsonObject | undefined> {
  const file = optional(values, "vault");
  return vaultSettings(values, file === undefined ? undefined : await objectOf("vault", `@${file}`), process.env);
}

async function objectOf(option: string, text: string): Promise<JsonObject> {
  let value: Json;
  try {
    value = parseExactJson(text.startsWith("@") ? await readFile(text.slice(1), "utf8") : text);
  } catch (error) {
    throw new KilnError("usage", `--${option} is no JSON: ${messageOf(error)}`, {
      mend: `Write --${option} '{"name": "value"}' or --${option} @FILE.`,
    });
  }
  if (isObject(value)) return value;
  throw new KilnError("usage", `--${option} is no JSON object`, { mend: `Write --${option} '{"name": "value"}'.` });
}

function labelOf(text: string): readonly [string, string] {
  const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new KilnError("usage", `--label ${text} is no label`, { mend: "Write --label name=value." });
}
