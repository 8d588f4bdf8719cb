import { KilnError } from "../errors.ts";
import { findExecutable } from "../toolchain/executables.ts";
import { lastLines, run } from "../toolchain/process.ts";

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

/** The outputs of a stack's last update by name, secrets masked; none where it has never been brought up. */
export async function readOutputs({ project, stack, env }: PulumiStack): Promise<Readonly<Record<string, unknown>>> {
  const args = ["stack", "output", "--json", "--non-interactive", "--stack", stack];
  const { code, stdout } = await run("pulumi", args, { cwd: project, env, allowFailure: true });
  if (code !== 0) return {};
  try {
    return (JSON.parse(stdout) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
