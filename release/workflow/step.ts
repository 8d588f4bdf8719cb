import type { Fields } from "./fields.ts";

interface StepBase {
  readonly id?: string;
  /** What people read: its name, or what it does. */
  readonly title: string;
  readonly if?: string;
  readonly env: Readonly<Record<string, string>>;
  /** May be an expression. */
  readonly continueOnError?: string;
  /** May be an expression. */
  readonly timeoutMinutes?: string;
  /** Where it stands in the file, for errors. */
  readonly where: string;
}

export interface RunStep extends StepBase {
  readonly run: string;
  readonly shell?: string;
  readonly workingDirectory?: string;
}

export interface ActionStep extends StepBase {
  /** Owner and name, without the version: `actions/checkout`. */
  readonly action: string;
  readonly with: Readonly<Record<string, string>>;
}

export type Step = RunStep | ActionStep;

export const SHELLS: ReadonlySet<string> = new Set(["bash", "sh"]);

/** Reads one step. Throws a usage error that names the place and key. */
export function parseStep(fields: Fields): Step {
  const run = fields.text("run");
  const uses = fields.text("uses");
  if ((run === undefined) === (uses === undefined)) throw fields.fault("has neither or both of run and uses");
  const title = fields.text("name") ?? uses?.replace(/@.*/, "") ?? `Run ${run?.trim().split("\n")[0] ?? ""}`;
  const base = {
    ...optional("id", fields.text("id")),
    title,
    ...optional("if", fields.condition("if")),
    env: fields.texts("env"),
    ...optional("continueOnError", fields.text("continue-on-error")),
    ...optional("timeoutMinutes", fields.text("timeout-minutes")),
    where: `${fields.where} (${title})`,
  };
  if (run === undefined) {
    const step = { ...base, action: actionOf(uses ?? "", fields), with: fields.texts("with") };
    fields.end();
    return step;
  }
  const shell = fields.text("shell");
  checkShell(shell, fields);
  const step = {
    ...base,
    run,
    ...optional("shell", shell),
    ...optional("workingDirectory", fields.text("working-directory")),
  };
  fields.end();
  return step;
}

/** Refuses a shell that is not among those that a step may have here. */
export function checkShell(shell: string | undefined, fields: Fields): void {
  if (shell === undefined || SHELLS.has(shell)) return;
  throw fields.fault(`is ${shell}`, "shell", `kiln runs steps with ${[...SHELLS].join(" or ")}.`);
}

function actionOf(uses: string, fields: Fields): string {
  const name = /^([\w.-]+\/[\w./-]+)@[\w./-]+$/.exec(uses)?.[1];
  if (name !== undefined) return name;
  throw fields.fault(
    `is ${uses}, which is not OWNER/NAME@VERSION`,
    "uses",
    "Actions of the checkout and of images have no stand-in here.",
  );
}

/** A field to spread where there is a value. */
export function optional<Name extends string, T>(name: Name, value: T | undefined): Readonly<Partial<Record<Name, T>>> {
  return (value === undefined ? {} : { [name]: value }) as Readonly<Partial<Record<Name, T>>>;
}
