import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { run } from "../../toolchain/process.ts";

/** What actionlint says of a line of a workflow. */
export interface WorkflowFinding {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** What the workflows of a checkout were found to be. */
export interface LintedWorkflows {
  readonly files: readonly string[];
  readonly findings: readonly WorkflowFinding[];
}

const FOLDER = ".github/workflows";

/** Named, since actionlint looks for it in a Git work tree alone. */
const CONFIG = ".github/actionlint.yaml";

/**
 * Checks every workflow of a checkout by actionlint, without what `.github/actionlint.yaml` leaves out. Shells are not looked into: it
 * would take whatever shellcheck a machine has. Throws "failed" where actionlint could not run.
 */
export async function lintWorkflows(actionlint: string, project: string): Promise<LintedWorkflows> {
  const names = await readdir(path.join(project, FOLDER)).catch(() => []);
  const files = names.filter((name) => /\.ya?ml$/.test(name)).map((name) => `${FOLDER}/${name}`);
  if (files.length === 0) return { files, findings: [] };
  const config = existsSync(path.join(project, CONFIG)) ? ["-config-file", CONFIG] : [];
  const args = [...config, "-shellcheck=", "-pyflakes=", "-no-color", "-format", "{{json .}}", ...files.sort()];
  const { code, stdout, stderr } = await run(actionlint, args, { cwd: project, allowFailure: true });
  if (code === 0) return { files, findings: [] };
  // 1 says that it found something; what is more says that it did not look.
  if (code === 1) return { files, findings: findingsIn(stdout) };
  throw new KilnError("failed", `actionlint failed (exit ${code}): ${stderr.trim() || stdout.trim()}`, {
    mend: `Mend ${CONFIG}, or what it says.`,
  });
}

function findingsIn(text: string): readonly WorkflowFinding[] {
  const found = JSON.parse(text) as readonly {
    readonly message: string;
    readonly filepath: string;
    readonly line: number;
    readonly kind: string;
  }[];
  return found.map(({ message, filepath, line, kind }) => ({ file: filepath, line, code: kind, message }));
}
