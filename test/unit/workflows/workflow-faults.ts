import { parseArgs } from "node:util";
import { Script } from "node:vm";
import { parse } from "yaml";
import type { Command } from "../../../cli/command.ts";
import { shellCommands } from "./shell-commands.ts";

/** What this checkout offers to a workflow's steps. */
export interface Offered {
  readonly commands: readonly Pick<Command, "name" | "options">[];
  /** Names of npm scripts. */
  readonly scripts: readonly string[];
  /** Files of the checkout that a step names by path: `./x.sh`, `node x.mjs`. */
  readonly isFile: (path: string) => boolean;
  /** Targets of the Makefile. */
  readonly targets: readonly string[];
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly if?: string;
  readonly needs?: string | readonly string[];
  /** Null where the key stands there alone. */
  readonly permissions?: Readonly<Record<string, string>> | string | null;
  readonly "timeout-minutes"?: number;
  readonly concurrency?: Concurrency;
  readonly steps?: readonly Step[];
}

interface Concurrency {
  readonly "cancel-in-progress"?: boolean;
  readonly queue?: string;
}

interface Workflow {
  readonly concurrency?: Concurrency;
  readonly on?: Readonly<Record<string, unknown>> | string | readonly string[];
  readonly jobs?: Readonly<Record<string, Job>>;
}

/** Programs of every runner that steps may call, beside npm, npx, node, make and files of the checkout. */
const SHELL_WORDS = new Set([
  ...["[", "cat", "cd", "cp", "docker", "echo", "exit", "export", "false", "git", "grep", "jq", "mkdir", "mv"],
  ...["printf", "rm", "set", "sha256sum", "sudo", "sysctl", "tar", "tee", "test", "true"],
]);

/** Options that every command of kiln takes. */
const COMMON = {
  json: { type: "boolean" },
  quiet: { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const FORK_GUARD = "github.event.pull_request.head.repo.full_name == github.repository";

/** What is wrong with a workflow, a line each: commands that do not exist, pins, permissions, time limits, triggers, injection. */
export function workflowFaults(text: string, offered: Offered): readonly string[] {
  const workflow = parse(text) as Workflow;
  const triggers = triggersOf(workflow);
  const jobs = workflow.jobs ?? {};
  return [
    ...(triggers.includes("pull_request_target") ? ["pull_request_target runs a stranger's code with our token"] : []),
    ...usesFaults(text),
    ...queueFaults(workflow),
    ...Object.entries(jobs).flatMap(([name, job]) => [
      ...jobFaults(job).map((fault) => `${name}: ${fault}`),
      ...(triggers.includes("pull_request") ? forkFaults(name, jobs).map((fault) => `${name}: ${fault}`) : []),
      ...(job.steps ?? []).flatMap((step) => stepFaults(step, offered).map((fault) => `${name}: ${fault}`)),
    ]),
  ];
}

function triggersOf({ on }: Workflow): readonly string[] {
  if (typeof on === "string") return [on];
  return Array.isArray(on) ? (on as readonly string[]) : Object.keys(on ?? {});
}

/** Actions by a whole commit with the version beside it; workflows of this repository from the same commit, or from main. */
function usesFaults(text: string): readonly string[] {
  return [...text.matchAll(/^\s*(?:- )?uses: *(.*)$/gm)].flatMap(([, written = ""]) => {
    const own = /^\.\/|\/\.github\/workflows\/[\w.-]+\.yml@(?:refs\/heads\/)?main$/.test(written);
    return own || /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+(?:\.\d+){0,2}$/.test(written)
      ? []
      : [`${written} is not pinned by a commit of 40 digits with its version in a comment`];
  });
}

/** GitHub refuses a whole file for these (docs: "Control workflow concurrency"). */
function queueFaults({ concurrency }: Job | Workflow): readonly string[] {
  const { queue, "cancel-in-progress": cancels = false } = concurrency ?? {};
  if (queue === undefined || (queue === "max" && !cancels) || queue === "single") return [];
  return [`concurrency.queue is ${queue}${cancels ? " beside cancel-in-progress" : ", neither max nor single"}`];
}

function jobFaults(job: Job): readonly string[] {
  const { uses, permissions, "timeout-minutes": minutes } = job;
  return [
    ...queueFaults(job),
    ...(minutes === undefined && uses === undefined ? ["has no timeout-minutes"] : []),
    ...((permissions ?? undefined) === undefined ? ["does not say its permissions"] : []),
    ...(typeof permissions === "string" ? [`has ${permissions}: name each permission`] : []),
  ];
}

/** A fork's pull request must not reach what writes or holds a secret: the job, or one that it needs, is guarded. */
function forkFaults(name: string, jobs: Readonly<Record<string, Job>>): readonly string[] {
  const job = jobs[name] ?? {};
  const { permissions } = job;
  const writes = typeof permissions === "object" && Object.values(permissions ?? {}).includes("write");
  const secret = JSON.stringify(job).includes("secrets.");
  return (writes || secret) && !isGuarded(name, jobs) ? ["may run for a fork's pull request"] : [];
}

function isGuarded(name: string, jobs: Readonly<Record<string, Job>>): boolean {
  const { if: condition = "", needs = [] } = jobs[name] ?? {};
  // Such a function lets a job run although one that it needs was skipped.
  if (/\b(?:always|failure|cancelled)\(\)/.test(condition)) return condition.startsWith(FORK_GUARD);
  return condition.includes(FORK_GUARD) || [needs].flat().some((needed) => isGuarded(needed, jobs));
}

function stepFaults({ uses = "", run = "", with: given = {} }: Step, offered: Offered): readonly string[] {
  const keeps = uses.startsWith("actions/checkout@") && given["persist-credentials"] !== false;
  const asksForAll =
    uses.startsWith("actions/create-github-app-token@") &&
    !Object.keys(given).some((name) => name.startsWith("permission-"));
  return [
    ...(asksForAll ? ["actions/create-github-app-token asks for all that the App may: name each permission-…"] : []),
    ...(keeps ? ["actions/checkout leaves its token in the checkout: persist-credentials: false"] : []),
    ...(run.includes("${{") ? [`a value is written into a script: pass it by env (${run.split("\n")[0] ?? ""})`] : []),
    ...shellCommands(run).flatMap((words) => commandFaults(words, offered)),
  ];
}

function commandFaults(words: readonly string[], offered: Offered): readonly string[] {
  const [program = "", ...rest] = words;
  const shown = words.join(" ");
  switch (program) {
    case "npm":
      return npmFaults(rest, offered).map((fault) => `${shown}: ${fault}`);
    case "npx":
      return rest[0] === "kiln"
        ? kilnFaults(rest.slice(1), offered).map((fault) => `${shown}: ${fault}`)
        : [`${shown}: npx is for kiln`];
    case "node":
      if (rest[0] === "-p") return expressionFaults(rest[1] ?? "").map((fault) => `${shown}: ${fault}`);
      return offered.isFile(rest[0] ?? "") ? [] : [`${shown}: there is no such file`];
    case "make":
      return rest.filter((target) => !offered.targets.includes(target)).map((target) => `make has no target ${target}`);
    case "sudo":
      return commandFaults(rest, offered);
    default:
      if (program.startsWith("./")) return offered.isFile(program.slice(2)) ? [] : [`there is no ${program}`];
      return SHELL_WORDS.has(program) ? [] : [`${program} is no command that steps may call`];
  }
}

/** What Node says of an expression that it is to print; it is read and not run. */
function expressionFaults(expression: string): readonly string[] {
  try {
    new Script(`(${expression})`);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

function npmFaults([verb = "", script = ""]: readonly string[], { scripts }: Offered): readonly string[] {
  if (verb === "ci") return [];
  const name = verb === "test" ? verb : verb === "run" ? script : undefined;
  if (name === undefined) return [`npm ${verb} is none of ci, test, run`];
  return scripts.includes(name) ? [] : [`package.json has no script ${name}`];
}

/** As the command line itself reads it: the longest name that the words begin with, then its options, strictly. */
function kilnFaults(argv: readonly string[], { commands }: Offered): readonly string[] {
  const words = argv.filter((word) => !word.startsWith("-"));
  const command = commands
    .filter(({ name }) => `${words.join(" ")} `.startsWith(`${name} `))
    .sort((a, b) => b.name.length - a.name.length)
    .at(0);
  if (command === undefined) return ["kiln has no such command"];
  try {
    parseArgs({ args: [...argv], options: { ...command.options, ...COMMON }, allowPositionals: true, strict: true });
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
