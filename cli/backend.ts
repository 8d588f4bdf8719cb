import { EXIT, KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { readLocks, readProjectName, removeLocks, type LockQuery, type StackLock } from "../release/backend/lock.ts";
import { backendPlan, type BackendRequest } from "../release/backend/plan.ts";
import { requirePassphrase, setUp } from "../release/backend/setup.ts";
import { scriptOf } from "../release/backend/step.ts";
import { stackFile } from "../settings.ts";
import { findExecutable } from "../toolchain/executables.ts";
import { readStackNames } from "../toolchain/local-backend.ts";
import { readyLocalEnvironment } from "../toolchain/local-environment.ts";
import { isLocalStack } from "../toolchain/local-stacks.ts";
import { places } from "../toolchain/places.ts";
import { run } from "../toolchain/process.ts";
import type { Command, Invocation } from "./command.ts";
import { noArguments, optional, repeated, required } from "./options.ts";
import { table } from "./printer.ts";

const OPTIONS = {
  url: { type: "string" },
  secrets: { type: "string" },
  stack: { type: "string", multiple: true },
  project: { type: "string" },
  location: { type: "string" },
  "resource-group": { type: "string" },
} as const;

const HELP = {
  url: "s3://BUCKET?region=R, gs://BUCKET or azblob://CONTAINER?storage_account=A",
  secrets: "awskms://…, gcpkms://…, azurekeyvault://… or passphrase",
  stack: "a stack that lives there (may be repeated; default: every file in stacks/ but local)",
  project: "Google: the project that a new bucket belongs to",
  location: "Google, Azure: where new things are created",
  "resource-group": "Azure: the resource group of all of it",
} as const;

const USAGE = "--url URL --secrets PROVIDER [--stack S]…";

const planCommand: Command = {
  name: "backend plan",
  summary: "Print the commands that make a shared backend, as a script to read and run.",
  usage: USAGE,
  options: OPTIONS,
  help: HELP,
  async run(invocation) {
    const request = await requestOf(invocation);
    const steps = backendPlan(request);
    return { json: { url: request.url, steps }, text: scriptOf(steps, { PULUMI_BACKEND_URL: request.url }) };
  },
};

const initCommand: Command = {
  name: "backend init",
  summary: "Make a shared backend: bucket, versions, key, login, stacks. Looks first; a second run changes nothing.",
  usage: USAGE,
  options: OPTIONS,
  help: HELP,
  async run(invocation) {
    const request = await requestOf(invocation);
    const steps = backendPlan(request);
    requirePassphrase(request.secrets, process.env);
    const env = { ...process.env, PULUMI_BACKEND_URL: request.url };
    const outcomes = await setUp(steps, { project: places().project, env, progress: invocation.progress });
    const files = request.stacks.map(stackFile).join(", ");
    return {
      json: { url: request.url, steps: outcomes },
      text: `${table(outcomes.map(({ title, outcome }) => [outcome, title]))}\ncommit ${files}: they say who keeps the secrets`,
    };
  },
};

const unlockCommand: Command = {
  name: "backend unlock",
  summary: "Show who holds a stack's lock; with --yes remove it, unless its holder still runs here.",
  usage: "--stack S [--yes]",
  options: { stack: { type: "string" }, yes: { type: "boolean" } },
  help: { stack: "the stack", yes: "remove the lock" },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const query = await lockQuery(required(values, "stack"), progress);
    const locks = await readLocks(query);
    if (locks.length === 0) return { json: { locks, removed: false }, text: `stack ${query.stack} is not locked` };
    const text = table(locks.map(described));
    if (values.yes !== true) {
      const hint = `\`npx kiln backend unlock --stack ${query.stack} --yes\` removes it once you know that the holder is gone`;
      return { json: { locks, removed: false }, text: `${text}\n${hint}`, exitCode: EXIT.difference };
    }
    await removeLocks(query, locks);
    const then = `removed. \`pulumi refresh -s ${query.stack}\` finds out what the broken-off update did.`;
    return { json: { locks, removed: true }, text: `${text}\n${then}` };
  },
};

const HOLDERS = {
  "runs here": "still runs on this machine",
  ended: "ended without giving it back",
  elsewhere: "on another machine: ask there",
} as const;

function described({ user, host, pid, since, holder }: StackLock): readonly string[] {
  return [`${user}@${host}`, `pid ${pid}`, `since ${since}`, HOLDERS[holder]];
}

async function requestOf({ values, positionals }: Invocation): Promise<BackendRequest> {
  noArguments(positionals);
  const names = await readStackNames(places().project);
  const asked = repeated(values, "stack");
  const unknown = asked.find((stack) => !names.includes(stack));
  if (unknown !== undefined) {
    throw new KilnError("usage", `there is no ${stackFile(unknown)}`, { mend: `The stacks are ${names.join(", ")}.` });
  }
  return {
    url: required(values, "url"),
    secrets: required(values, "secrets"),
    stacks: asked.length > 0 ? asked : names.filter((stack) => !isLocalStack(stack)),
    project: optional(values, "project"),
    location: optional(values, "location"),
    resourceGroup: optional(values, "resource-group"),
  };
}

/** Where the stack's lock would be: the local backend, or the one that the caller is logged in to. */
async function lockQuery(stack: string, progress: Progress): Promise<LockQuery> {
  if (!/^[\w.-]+$/.test(stack))
    throw new KilnError("usage", `"${stack}" is not a stack`, { mend: "Name it as `pulumi stack ls` does." });
  const here = places();
  const local = isLocalStack(stack) ? await readyLocalEnvironment(here, undefined, progress) : {};
  const env = { ...process.env, ...local };
  if ((await findExecutable("pulumi", env)) === undefined) {
    throw new KilnError("unreachable", "pulumi is not on PATH", { mend: "Install the Pulumi CLI and log in." });
  }
  const { stdout } = await run("pulumi", ["whoami", "--output", "json", "--non-interactive"], {
    cwd: here.project,
    env,
  });
  const { url } = JSON.parse(stdout) as { readonly url: string };
  return { url, project: await readProjectName(here.project), stack, directory: here.project, env };
}

export const backendCommands: readonly Command[] = [planCommand, initCommand, unlockCommand];
