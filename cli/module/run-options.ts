import path from "node:path";
import { KilnError } from "../../errors.ts";
import { credentialNames } from "../../execution/module/credential-names.ts";
import type { ExecuteOptions, RunLimits } from "../../execution/module/execute-options.ts";
import {
  STATE_MODES,
  type ImportMapping,
  type ModuleAction,
  type ModuleRequest,
} from "../../execution/module/request.ts";
import type { Invocation } from "../command.ts";
import { optional, repeated } from "../options.ts";
import { requestOf } from "./assignments.ts";

type Values = Invocation["values"];

const TEXT = { type: "string" } as const;
const TEXTS = { type: "string", multiple: true } as const;
const FLAG = { type: "boolean" } as const;

/** Options of every run. */
export const RUN_OPTIONS = {
  input: TEXT,
  set: TEXTS,
  secret: TEXTS,
  "stack-name": TEXT,
  state: TEXT,
  "state-mode": TEXT,
  credentials: TEXT,
  digest: TEXT,
  timeout: TEXT,
  grace: TEXT,
  memory: TEXT,
  cpus: TEXT,
  network: TEXT,
  "show-secrets": FLAG,
} as const;

export const RUN_HELP = {
  input: "a JSON file: a request as the container takes it, or an object of inputs",
  set: "name=text or name:=json, an input; repeat it for several",
  secret: "NAME, an input from the variable NAME or asked for; NAME=env:VARIABLE, NAME=file:PATH; never its value",
  "stack-name": "the stack: whose state it is",
  state: "a directory for state, locks and past runs; its key stands there, or comes from KILN_STATE_PASSPHRASE",
  "state-mode":
    "remote (the tool's own backend), carried (--state, or by you with KILN_STATE_PASSPHRASE) or ephemeral: lost",
  credentials: "of this machine, by name: aws, gcp, azure, kubernetes, pulumi, opentofu; several with commas",
  digest: "the image id or registry digest that the image must have",
  timeout: "how long it may take: 90s, 30m, 2h (default: 1h)",
  grace: "what the tool has to end cleanly after that, or after Ctrl-C (default: 30s)",
  memory: "such as 512m or 4g (default: 2g)",
  cpus: "such as 0.5 or 2 (default: all)",
  network: "bridge, none, or a network's name (default: bridge)",
  "show-secrets": "print secret outputs as they are",
} as const;

/** Options that one action has more. */
export const ACTION_OPTIONS = {
  preview: { options: {}, help: {} },
  apply: {
    options: { "plan-digest": TEXT },
    help: { "plan-digest": "what a preview printed: exit 3 where anything moved since" },
  },
  refresh: {
    options: { update: FLAG },
    help: { update: "write what is found into the state (default: only report it, and exit 3 on drift)" },
  },
  destroy: {
    options: { "allow-missing-state": FLAG },
    help: { "allow-missing-state": "take a stack without state for destroyed (default: refuse, exit 3)" },
  },
  import: {
    options: { resource: TEXTS },
    help: { resource: "ADDRESS=ID, what to take over; for Pulumi TYPE::NAME=ID; repeat it for several" },
  },
} as const;

/** The request that options and input file make. */
export async function runRequest(action: ModuleAction, values: Values): Promise<ModuleRequest> {
  const request = await requestOf(action, optional(values, "input"), repeated(values, "set"));
  const mode = optional(values, "state-mode");
  const known = STATE_MODES.find((one) => one === mode);
  if (mode !== undefined && known === undefined) {
    throw new KilnError("usage", `--state-mode ${mode} is none of its values`, {
      mend: `Choose one of: ${STATE_MODES.join(", ")}.`,
    });
  }
  const stack = optional(values, "stack-name");
  const plan = optional(values, "plan-digest");
  const mappings = repeated(values, "resource").map(mappingOf);
  return {
    ...request,
    ...(stack === undefined ? {} : { stack_name: stack }),
    ...(known === undefined ? {} : { state_mode: known }),
    ...(plan === undefined ? {} : { plan_digest: plan }),
    ...(values.update === true ? { refresh: { update: true } } : {}),
    ...(values["allow-missing-state"] === true ? { destroy: { allow_missing_state: true } } : {}),
    ...(mappings.length === 0 ? {} : { import: [...(request.import ?? []), ...mappings] }),
  };
}

/** What the executor gets beside request and image. */
export function runSettings(
  values: Values,
): Pick<ExecuteOptions, "credentials" | "digest" | "limits" | "network" | "state"> {
  const state = optional(values, "state");
  return {
    credentials: credentialNames(optional(values, "credentials") ?? ""),
    digest: optional(values, "digest"),
    limits: limitsOf(values),
    network: optional(values, "network"),
    state: state === undefined ? undefined : { directory: path.resolve(state) },
  };
}

function limitsOf(values: Values): RunLimits {
  const cpus = optional(values, "cpus");
  return {
    timeoutMs: milliseconds(values, "timeout"),
    graceMs: milliseconds(values, "grace"),
    memory: optional(values, "memory"),
    cpus: cpus === undefined ? undefined : processors(cpus),
  };
}

function processors(text: string): number {
  if (/^\d*\.?\d+$/.test(text)) return Number(text);
  throw new KilnError("usage", `--cpus ${text} is no number of processors`, { mend: "Write such as 0.5 or 2." });
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
/** What a timer can count, less than 25 days: a longer one would be over at once. */
const LONGEST_MS = 2 ** 31 - 1 - 60_000;

function milliseconds(values: Values, option: string): number | undefined {
  const text = optional(values, option);
  if (text === undefined) return undefined;
  const [, amount, unit = "s"] = /^(\d+)([smh]?)$/.exec(text) ?? [];
  const time = Number(amount) * (UNITS[unit === "" ? "s" : unit] ?? 1_000);
  if (time > 0 && time <= LONGEST_MS) return time;
  throw new KilnError("usage", `--${option} ${text} is no time`, {
    mend: "Write such as 90s, 30m or 2h, up to 24 days.",
  });
}

function mappingOf(text: string): ImportMapping {
  const [, address, id] = /^(.+?)=([^]+)$/.exec(text) ?? [];
  if (address === undefined || id === undefined) {
    throw new KilnError("usage", `--resource ${text} maps nothing`, { mend: "Write --resource ADDRESS=ID." });
  }
  const [, type, name] = /^([^[\]]+:[^[\]]+)::([^:]+)$/.exec(address) ?? [];
  return { address, id, ...(type === undefined || name === undefined ? {} : { type, name }) };
}
