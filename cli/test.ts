import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { EXIT } from "../errors.ts";
import { places } from "../toolchain/places.ts";
import { runAttached } from "../toolchain/process.ts";
import type { Command } from "./command.ts";

/** What vitest's JSON reporter says of a run, as far as it is read. */
interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

/** `npm test`: every test, closing with the counts alone on a line. */
export const testCommand: Command = {
  name: "test",
  summary: "Run the tests, with the same set-up as `up`; arguments narrow them as vitest's do.",
  usage: "[FILE…]",
  options: { extended: { type: "boolean" }, project: { type: "string", multiple: true } },
  help: {
    extended: "also what is slow or needs many tools",
    project: "unit, engine, containers or e2e (may be repeated)",
  },
  async run({ values, positionals }) {
    const here = places();
    const results = path.join(here.work, "test-results.json");
    await mkdir(here.work, { recursive: true });
    await rm(results, { force: true });
    const projects = Array.isArray(values.project) ? values.project.flatMap((name) => ["--project", String(name)]) : [];
    const flags = ["run", "--reporter=verbose", "--reporter=json", `--outputFile.json=${results}`, ...projects];
    const vitest = path.join(here.project, "node_modules/vitest/vitest.mjs");
    const code = await runAttached(process.execPath, [vitest, ...flags, ...positionals], {
      cwd: here.project,
      env: { ...process.env, ...(values.extended === true ? { KILN_EXTENDED: "1" } : {}) },
      stdout: values.json === true ? "stderr" : "inherit",
    });
    const report = await readReport(results);
    const failed = Math.max(report.numFailedTests, code === 0 ? 0 : 1);
    const skipped =
      report.numPendingTests > 0 ? `${report.numPendingTests} skipped: npm run test:extended runs them\n` : "";
    return {
      json: report,
      text: `${skipped}${report.numPassedTests} passed, ${failed} failed`,
      exitCode: code === 0 ? EXIT.done : EXIT.failed,
    };
  },
};

async function readReport(file: string): Promise<TestReport> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as TestReport;
  } catch {
    return { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, success: false };
  }
}
