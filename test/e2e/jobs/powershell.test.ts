import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { fileOf, jobEngine, jobImage, JobRuns } from "../../support/job-runs.ts";

let runs: JobRuns;
let hasPowerShell: boolean;

beforeAll(async () => {
  const engine = await jobEngine();
  runs = new JobRuns(engine, await jobImage(engine), await mkdtemp(path.join(tmpdir(), "kiln-test-jobs-")));
  hasPowerShell = (await runs.docker("run", "--rm", "--entrypoint", "pwsh", runs.image, "-Version")).code === 0;
});

afterAll(() => rm(runs.folder, { recursive: true, force: true }));

function needsPowerShell({ skip }: TestContext): void {
  if (!hasPowerShell) skip("this image was built where the releases of PowerShell cannot be reached");
}

/** What a script does, and the exit code of its job: that of `pwsh -File`, but where a comment says so. */
const ENDINGS: readonly (readonly [string, number])[] = [
  ["'done'", 0],
  ["exit 3", 3],
  ["exit 0", 0],
  ["throw 'no'", 1],
  ["Get-Item /no/such/thing", 1],
  // 1 of `pwsh -File`, which does not say which program it was.
  ["sh -c 'exit 7'", 7],
  ["try { sh -c 'exit 7' } catch { 'handled' }", 0],
  ["try { sh -c 'exit 7' } catch { throw 'another' }", 1],
  ["$PSNativeCommandUseErrorActionPreference = $false; sh -c 'exit 7'", 0],
  ["$PSNativeCommandUseErrorActionPreference = $false; sh -c 'exit 7'; exit $LASTEXITCODE", 7],
  ["[CmdletBinding()] param() exit 4", 4],
];

describe.concurrent("a job of PowerShell", () => {
  it.for(ENDINGS)("%s: ends with %d", async ([script, code], context) => {
    needsPowerShell(context);
    const { result } = await runs.powershell(script);
    expect([result.status, result.exit_code]).toEqual([code === 0 ? "succeeded" : "failed", code]);
  });

  it("is the example that every image has to run before it is released", async (context) => {
    needsPowerShell(context);
    const example = path.join(import.meta.dirname, "../../../examples/jobs/salute.ps1");
    const ended = await runs.powershell(await readFile(example, "utf8"), { fields: { parameters: { name: "you" } } });
    expect(ended.result.artifacts.map(({ name }) => name)).toEqual(["greeting.txt"]);
    expect(await fileOf(ended, "stdout.log")).toBe("Hello, you.\n");
  });

  it("gets parameters of every type, none of which is a piece of a command", async (context) => {
    needsPowerShell(context);
    const parameters = { text: "; exit 9 $(exit 9)", count: 2, on: true, list: [1], date: "2026-01-01T00:00:00Z" };
    const script = `param([string] $text, [long] $count, [switch] $on, [object[]] $list, $date)
"$($text.Length) $count $on $($list.Count) $($date.GetType().Name)"`;
    const job = await runs.powershell(script, { fields: { parameters } });
    expect(await fileOf(job, "stdout.log")).toBe("18 2 True 1 String\n");
  });
});
