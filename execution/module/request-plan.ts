import { KilnError } from "../../errors.ts";
import { Redactor } from "../redactor.ts";
import { CREDENTIALS } from "./credential-names.ts";
import type { Credentials } from "./credentials.ts";
import type { JsonObject } from "./json.ts";
import { isObject } from "./document.ts";
import { API_VERSION, type ModuleRequest, type SecretDocument } from "./request.ts";
import type { RunKey } from "./run-key.ts";
import { secretsOfValue } from "./secret-texts.ts";
import { isEnvelope, type StateEnvelope } from "./state-envelope.ts";

/** What the caller wants kept secret. It goes to the container by standard input and stands nowhere else. */
export interface Secrets {
  readonly inputs?: JsonObject;
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, { readonly name: string; readonly base64: string }>>;
  /** 32 bytes, for a caller who carries the state; a state directory has its own. */
  readonly stateKey?: Buffer;
}

export interface RequestParts {
  readonly request: ModuleRequest;
  readonly secrets: Secrets;
  readonly credentials: Credentials;
  readonly runId: string;
  readonly key: RunKey;
  readonly state: StateEnvelope | undefined;
  readonly deadline: Date;
}

/** What is not secret, what is, and the redactor that knows the second. */
export interface RequestPlan {
  readonly request: ModuleRequest;
  readonly secrets: SecretDocument & { readonly state_key: string };
  readonly redactor: Redactor;
}

/** Divides a run into its request and its secrets. A name that is both a plain and a secret input is a usage error. */
export function planRequest(parts: RequestParts): RequestPlan {
  const { secrets, credentials, runId, key, state, deadline } = parts;
  const { clear, request } = withoutClearState(parts.request);
  const secretInputs = secrets.inputs ?? {};
  refuseTwice(request, secretInputs);
  const given = dividedEnvironment(request.environment ?? {}, credentials);
  const environment = { ...given.secret, ...credentials.environment, ...secrets.environment };
  const names = [...new Set([...(request.secret_inputs ?? []), ...Object.keys(secretInputs)])];
  const plain = { ...credentials.plain, ...given.plain };
  const texts = [
    ...Object.values(secretInputs).flatMap(secretsOfValue),
    ...Object.values(environment),
    ...credentials.secrets,
    ...Object.values(secrets.files ?? {}).map(({ base64 }) => Buffer.from(base64, "base64").toString("utf8")),
    key.bytes.toString("base64"),
  ];
  return {
    request: {
      ...request,
      environment: plain,
      api_version: API_VERSION,
      run_id: runId,
      deadline: earlier(request.deadline, deadline),
      ...(state === undefined ? {} : { state }),
      ...(names.length === 0 ? {} : { secret_inputs: names }),
    },
    secrets: {
      inputs: secretInputs,
      environment,
      files: { ...credentials.files, ...secrets.files },
      ...(clear === undefined || state !== undefined ? {} : { state: clear }),
      state_key: key.bytes.toString("base64"),
      ...(key.lasts ? {} : { state_key_lasting: false }),
    },
    redactor: new Redactor(texts),
  };
}

/** A request without the state in the clear that it brought; a sealed one stays in it. */
function withoutClearState({ state, ...request }: ModuleRequest): { clear?: JsonObject; request: ModuleRequest } {
  if (state === undefined) return { request };
  return isObject(state) && !isEnvelope(state) ? { clear: state, request } : { request: { ...request, state } };
}

function refuseTwice({ inputs, secret_inputs: named = [] }: ModuleRequest, secretInputs: JsonObject): void {
  const both = [...named, ...Object.keys(secretInputs)].find((name) => Object.hasOwn(inputs, name));
  if (both !== undefined) {
    throw new KilnError("usage", `the secret input ${both} stands in the request as well`, {
      mend: "Take it out of the request's inputs, where others may read it.",
    });
  }
  const absent = named.find((name) => !Object.hasOwn(secretInputs, name));
  if (absent !== undefined) {
    throw new KilnError("usage", `the secret input ${absent} has no value`, {
      mend: `Give it with --secret ${absent}.`,
    });
  }
}

const KNOWN_SECRETS: ReadonlySet<string> = new Set(Object.values(CREDENTIALS).flatMap(({ secret }) => secret));
const SECRET_NAME = /SECRET|TOKEN|PASSWORD|PASSPHRASE|PRIVATE_KEY|API_?KEY|ACCESS_KEY/i;
const PATH_NAME = /_(?:FILE|PATH|DIR|URL|URI)$/;

/** The published interface has credentials in the request's environment: what is secret by its name takes the channel. */
function dividedEnvironment(variables: Readonly<Record<string, string>>, { files }: Credentials) {
  const all = Object.entries(variables).filter(([name]) => !Object.hasOwn(files, name));
  const isSecret = ([name]: [string, string]) =>
    KNOWN_SECRETS.has(name) || (SECRET_NAME.test(name) && !PATH_NAME.test(name));
  return {
    plain: Object.fromEntries(all.filter((entry) => !isSecret(entry))),
    secret: Object.fromEntries(all.filter(isSecret)),
  };
}

function earlier(asked: string | undefined, own: Date): string {
  return asked !== undefined && Date.parse(asked) < own.getTime() ? asked : own.toISOString();
}
