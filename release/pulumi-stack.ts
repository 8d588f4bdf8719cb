import { KilnError } from "../errors.ts";
import { findExecutable } from "../toolchain/executables.ts";
import { lastLines, run, type RunResult } from "../toolchain/process.ts";

/** A stack as Pulumi is asked about it. */
export interface PulumiStack {
  /** The checkout. */
  readonly project: string;
  readonly stack: string;
  /** The environment of Pulumi: where the backend is, and who asks. */
  readonly env: NodeJS.ProcessEnv;
}

/** Throws where Pulumi is not there, or knows nobody: a shared stack is read as somebody. */
export async function requireLogin(project: string, env: NodeJS.ProcessEnv): Promise<void> {
  if ((await findExecutable("pulumi", env)) === undefined) {
    throw new KilnError("unreachable", "pulumi is not on PATH", { mend: "Install the Pulumi CLI and log in." });
  }
  const { code, stderr } = await run("pulumi", ["whoami", "--non-interactive"], {
    cwd: project,
    env,
    allowFailure: true,
  });
  if (code === 0) return;
  throw new KilnError("unreachable", `pulumi is not logged in: ${lastLines(stderr.trim(), 1)}`, {
    mend: "`pulumi login` to the backend of these stacks, or set PULUMI_BACKEND_URL (docs/promotion.md).",
  });
}

/** Exit code of Pulumi: pkg/cmd/pulumi/cmd/exit_codes.go. */
const NO_STACK = 6;

/**
 * The outputs of a stack's last update by name, secrets masked; none where it has never been brought up. Throws where the backend
 * does not tell them: of an image that is not looked at nothing is known.
 */
export async function readOutputs({ project, stack, env }: PulumiStack): Promise<Readonly<Record<string, unknown>>> {
  const args = ["stack", "output", "--json", "--non-interactive", "--stack", stack];
  const result = await run("pulumi", args, { cwd: project, env, allowFailure: true });
  if (isNoStack(result)) return {};
  if (result.code !== 0) throw unreadable("outputs", stack, result);
  try {
    return (JSON.parse(result.stdout) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** Whether Pulumi ended because the backend has no such stack. */
export function isNoStack({ code, stderr }: RunResult): boolean {
  // A Pulumi from before these exit codes says so in words alone.
  return code === NO_STACK || /no stack named/i.test(stderr);
}

/** What the backend of a stack does not tell, and what has to work for it to do so. */
export function unreadable(what: "outputs" | "history", stack: string, { code, stderr }: RunResult): KilnError {
  const said = stderr.trim() === "" ? `pulumi exited with ${code}` : lastLines(stderr.trim(), 1);
  const command = what === "outputs" ? "output" : "history";
  return new KilnError("unreachable", `the ${what} of stack ${stack} cannot be read: ${said}`, {
    mend: `\`pulumi stack ${command} -s ${stack}\` has to work here: look at the login, the backend and the passphrase.`,
  });
}
