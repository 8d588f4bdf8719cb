import { KilnError, type ErrorKind } from "../../errors.ts";
import { isImageReference } from "../../registry/image-reference.ts";
import {
  count,
  listOf,
  mapOf,
  may,
  member,
  need,
  object,
  oneOf,
  parseDocument,
  text,
  textLike,
  VARIABLE,
} from "../module/document.ts";
import type { Place } from "../module/document.ts";
import type { JsonObject } from "../module/json.ts";
import { DEFAULT_LIMITS, limitsAt, type JobLimits } from "./limits.ts";
import { DEFAULT_TIMEOUTS, timeoutsAt, type JobTimeouts } from "./timeouts.ts";
import { vaultAt } from "./vault-settings.ts";

export const JOB_API = "job/v1" as const;

/** Where the script comes from: fetched in the container, read here at a commit, or a folder as it is. */
export type JobSource =
  | { readonly kind: "repository"; readonly url: string; readonly commit: string; readonly ref?: string }
  | { readonly kind: "checkout"; readonly path: string; readonly commit: string; readonly ref?: string }
  | { readonly kind: "directory"; readonly path: string; readonly sha256?: string };

/** A secret by its name: the value is given at each run and stands in no description. */
export interface JobSecret {
  readonly name: string;
  readonly as: "environment" | "file";
}

/** All that a run of a job is made of, without secrets. Whoever reads it can run it again. */
export interface JobDescription {
  readonly api_version: typeof JOB_API;
  readonly job_id: string;
  readonly attempt: number;
  /** As it was asked for. */
  readonly image: string;
  /** What that was: `repository@sha256:…`, or the engine's id of it. Filled in before the run. */
  readonly image_digest?: string;
  /** Path of the script below its source, without `.py` or `.ps1`. */
  readonly script: string;
  readonly parameters: JsonObject;
  readonly source: JobSource;
  readonly limits: JobLimits;
  readonly timeouts: JobTimeouts;
  /** `none`, `isolated`, or the name of a network. */
  readonly network: string;
  readonly secrets: readonly JobSecret[];
  /** Settings of Vault, without logins. */
  readonly vault?: JsonObject;
  /** Where the container posts the result; over https where the secret RESULT_TOKEN goes with it. */
  readonly result_url?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** As long as the entrypoint takes it. */
const SCRIPT = /^(?=.{1,200}$)[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;
const NETWORK = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
export const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const DIGEST = /^(?:[^@\s]+@)?sha256:[0-9a-f]{64}$/;
/** An address that git takes neither for an option nor for a helper that runs commands, and that has no password in it. */
export const REPOSITORY_URL =
  /^(?:https:\/\/(?![^/]*@)[^\s-]\S*|ssh:\/\/(?![^/@]*:[^/@]*@)[^\s-]\S*|(?!-)[\w.-]+@[\w.-]+:[^\s-]\S*)$/;

/** Throws a usage error for an address over http, or git's own protocol: what comes that way could be anybody's script. */
export function requireEncrypted(url: string, at: string, kind: ErrorKind = "usage"): void {
  if (!/^(?:http|git):\/\//i.test(url)) return;
  throw new KilnError(kind, `${at} is not encrypted, and a job fetches no script that way`, {
    mend: "Write https://…, ssh://… or user@host:path.",
  });
}

/** An address without a login in it. */
const RESULT_URL = /^https?:\/\/(?![-:])[^\s/?#@]+(?:[/?#]\S*)?$/;
/** The secret that is sent along with the result, and is not the script's. */
export const RESULT_TOKEN = "RESULT_TOKEN";

/** Reads a description. Throws a usage error that names the path of what is wrong, never its value. */
export function parseDescription(source: string): JobDescription {
  const place = parseDocument(source, "job", "usage");
  const script = need(place, "script", textLike(SCRIPT, `a path of up to 200 letters, digits, _ . - without \`..\``));
  if (script.includes("..")) throw new KilnError("usage", "job.script must not hold `..`");
  const secrets = may(place, "secrets", secretsAt).secrets ?? [];
  return {
    api_version: need(place, "api_version", oneOf([JOB_API])),
    job_id: need(place, "job_id", textLike(JOB_ID, "up to 128 letters, digits, _ . -, a letter or digit first")),
    attempt: may(place, "attempt", count).attempt ?? 1,
    image: need(place, "image", image),
    ...may(place, "image_digest", textLike(DIGEST, "sha256: and 64 hexadecimal digits")),
    script,
    parameters: may(place, "parameters", object).parameters ?? {},
    source: need(place, "source", sourceAt),
    limits: may(place, "limits", limitsAt).limits ?? DEFAULT_LIMITS,
    timeouts: may(place, "timeouts", timeoutsAt).timeouts ?? DEFAULT_TIMEOUTS,
    network: may(place, "network", networkAt).network ?? "isolated",
    secrets,
    ...may(place, "vault", vaultAt),
    ...may(place, "result_url", resultUrlAt(secrets)),
    labels: may(place, "labels", labelsAt).labels ?? {},
  };
}

/** The same for a description that is no text yet. */
export function checkDescription(description: unknown): JobDescription {
  return parseDescription(JSON.stringify(description));
}

function image(place: Place): string {
  const reference = text(place);
  if (isImageReference(reference) || /^sha256:[0-9a-f]{64}$/.test(reference)) return reference;
  throw new KilnError(place.kind, `${place.path} is no image reference`);
}

function networkAt(place: Place): string {
  const network = textLike(NETWORK, "none, isolated or the name of a network")(place);
  // The machine's own network has its loopback and, in a cloud, its credentials.
  if (network !== "host" && network !== "container") return network;
  throw new KilnError(place.kind, `${place.path} ${network} is no network for a job`, {
    mend: "Name none, isolated, or a network of your own.",
  });
}

function sourceAt(place: Place): JobSource {
  const kind = need(place, "kind", oneOf(["repository", "checkout", "directory"]));
  if (kind === "directory") {
    return { kind, path: need(place, "path", text), ...may(place, "sha256", textLike(/^[0-9a-f]{64}$/, "a SHA-256")) };
  }
  const commit = need(place, "commit", textLike(COMMIT, "a full commit of 40 or 64 hexadecimal digits"));
  const ref = may(place, "ref", text);
  if (kind === "checkout") return { kind, path: need(place, "path", text), commit, ...ref };
  return {
    kind,
    url: need(place, "url", repositoryUrl),
    commit,
    ...ref,
  };
}

function repositoryUrl(place: Place): string {
  requireEncrypted(text(place), place.path, place.kind);
  return textLike(REPOSITORY_URL, "an address https://…, ssh://… or user@host:path")(place);
}

function secretsAt(place: Place): readonly JobSecret[] {
  const secrets = listOf((at) => ({
    name: need(at, "name", textLike(VARIABLE, "the name of a variable")),
    as: need(at, "as", oneOf(["environment", "file"])),
  }))(place);
  const twice = secrets.find(({ name }, index) => secrets.findIndex((one) => one.name === name) !== index);
  if (twice !== undefined) throw new KilnError(place.kind, `${place.path} names ${twice.name} twice`);
  return secrets;
}

/** The entrypoint sends no token where others can read it, nor does it reach this machine's loopback: so http is for none. */
function resultUrlAt(secrets: readonly JobSecret[]) {
  return (place: Place): string => {
    const url = textLike(RESULT_URL, "an address https://… or http://… without a login in it")(place);
    if (url.startsWith("https:") || secrets.every(({ name }) => name !== RESULT_TOKEN)) return url;
    throw new KilnError(place.kind, `${place.path} is http, and ${RESULT_TOKEN} would be read on the way`, {
      mend: "Post to https://…, or without a token.",
    });
  };
}

function labelsAt(place: Place): Readonly<Record<string, string>> {
  const labels = mapOf(textLike(/^$|^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/, "a label value"))(place);
  const unfit = Object.keys(labels).find((name) => !LABEL.test(name));
  if (unfit !== undefined) throw new KilnError(place.kind, `${member(place, unfit).path} is no name of a label`);
  return labels;
}
