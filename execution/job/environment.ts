import { bytesOf } from "./limits.ts";
import type { JobDescription } from "./description.ts";
import { VAULT_FOLDER, vaultCertificates, vaultEnvironment } from "./vault-settings.ts";

/** Folders of a job's container; those that can be written to are in memory, but the output. */
export const WORKSPACE = "/workspace";
export const OUTPUT = `${WORKSPACE}/output`;
/**
 * What the runner brings, read-only, as folders below the workspace: scripts, parameters that no variable holds, and what
 * Vault is trusted by.
 */
const SCRIPTS_FOLDER = "scripts";
const PARAMETERS_FOLDER = "parameters";
/** The files of an input, by their path below the workspace. */
export const scriptFile = (name: string) => `${SCRIPTS_FOLDER}/${name}`;
export const PARAMETERS_FILE = `${PARAMETERS_FOLDER}/parameters.json`;
/** A variable holds 128 KiB on Linux, and its name stands in it too. */
export const LARGEST_VARIABLE = 100 * 1024;
/** What a log keeps of each stream. */
const OUTPUT_BYTES = 16 * 1024 * 1024;

/** The parameters as a file, where they are too large for a variable. */
export function parametersFile({ parameters }: JobDescription): string | undefined {
  const text = JSON.stringify(parameters);
  return Buffer.byteLength(text) > LARGEST_VARIABLE ? text : undefined;
}

/** The folders of the input that a job has, by their names below the workspace; scripts of a repository are fetched inside. */
export function inputFolders(description: JobDescription): readonly string[] {
  return [
    ...(description.source.kind === "repository" ? [] : [SCRIPTS_FOLDER]),
    ...(parametersFile(description) === undefined ? [] : [PARAMETERS_FOLDER]),
    ...(vaultCertificates(description.vault) === undefined ? [] : [VAULT_FOLDER]),
  ];
}

/** The variables of a job's container, the same on Docker and in Kubernetes. Everybody may read them: nothing is secret. */
export function jobEnvironment(description: JobDescription): Readonly<Record<string, string>> {
  const { source, timeouts, limits, vault, result_url: resultUrl } = description;
  return {
    JOB_ID: description.job_id,
    JOB_ATTEMPT: String(description.attempt),
    SCRIPT_ID: description.script,
    ...(parametersFile(description) === undefined
      ? { PARAMETERS: JSON.stringify(description.parameters) }
      : { PARAMETERS_FILE: `${WORKSPACE}/${PARAMETERS_FILE}` }),
    ...(source.kind === "repository" ? { SCRIPT_REPO: source.url, SCRIPT_REF: source.commit } : {}),
    ...(resultUrl === undefined ? {} : { RESULT_URL: resultUrl }),
    KILN_EVENTS: "1",
    KILN_OUTPUT: "stdout",
    KILN_OUTPUT_BYTES: String(OUTPUT_BYTES),
    KILN_DISK_BYTES: String(bytesOf(limits.disk)),
    KILN_ARTIFACT_BYTES: String(bytesOf(limits.disk)),
    ...(timeouts.script === undefined ? {} : { KILN_SCRIPT_TIMEOUT: String(timeouts.script) }),
    ...(timeouts.idle === undefined ? {} : { KILN_IDLE_TIMEOUT: String(timeouts.idle) }),
    KILN_JOB_TIMEOUT: String(timeouts.job),
    KILN_GRACE_SECONDS: String(timeouts.grace),
    KILN_FINISH_SECONDS: String(timeouts.finish),
    ...vaultEnvironment(vault, WORKSPACE),
  };
}
