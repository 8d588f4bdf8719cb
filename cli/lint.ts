import path from "node:path";
import { EXIT, KilnError } from "../errors.ts";
import { lintDockerfiles } from "../execution/module/lint-files.ts";
import type { Progress } from "../progress.ts";
import { lintWorkflows, type LintedWorkflows } from "../release/workflow/actionlint.ts";
import { places, type Places } from "../toolchain/places.ts";
import { resolveTool } from "../toolchain/resolve.ts";
import type { Command } from "./command.ts";
import { noArguments } from "./options.ts";

/** `kiln lint`: what no linter of TypeScript sees. A part of `npm run lint`. */
export const lintCommand: Command = {
  name: "lint",
  summary: "Check the workflows by actionlint, and the Dockerfiles of images/. Exit 3 where something is wrong.",
  usage: "",
  options: {},
  help: {},
  async run({ positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const linted = await lintDockerfiles(path.join(here.project, "images"));
    const dockerfiles = {
      files: linted.files.map((file) => `images/${file}`),
      findings: linted.findings.map((finding) => ({ ...finding, file: `images/${finding.file}` })),
    };
    const workflows = await lintedWorkflows(here, process.env, progress);
    const findings = [...dockerfiles.findings, ...(workflows?.findings ?? [])];
    const counts = `${dockerfiles.files.length} Dockerfiles, ${workflows?.files.length ?? "no"} workflows`;
    const lines = findings.map(({ file, line, code, message }) => `${file}:${line}: ${code}: ${message}`);
    return {
      json: { dockerfiles, workflows: workflows ?? null },
      text: [...lines, `${counts}: ${findings.length === 0 ? "nothing found" : `${findings.length} found`}`].join("\n"),
      exitCode: findings.length === 0 ? EXIT.done : EXIT.difference,
    };
  },
};

/** Nothing, with a note, where actionlint cannot be had: the gate needs no network on a laptop, and on GitHub there is one. */
async function lintedWorkflows(
  here: Places,
  env: NodeJS.ProcessEnv,
  progress: Progress,
): Promise<LintedWorkflows | undefined> {
  try {
    const { path: actionlint } = await resolveTool("actionlint", { places: here, progress });
    return await lintWorkflows(actionlint, here.project);
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "unreachable" || env.GITHUB_ACTIONS === "true") throw error;
    progress.note(`workflows are not checked: ${error.message}`);
    return undefined;
  }
}
