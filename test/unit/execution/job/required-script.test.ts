import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { runJob } from "../../../../cli/job/runner.ts";
import { silent } from "../../../../progress.ts";
import { readInput } from "../../../../execution/job/input-folder.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { aJob } from "./job-values.ts";

async function scripts(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryDirectory();
  await mkdir(path.join(folder, "ops"));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  return folder;
}

const LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";

it.each([
  [{ "ops/other.py": "" }, "ops/restart", /^there is no ops\/restart\.py and no ops\/restart\.ps1 in \//, "--repo"],
  [{ "ops/restart.PY": "" }, "ops/restart", "there is no ops/restart.py", "--repo"],
  [{ "ops/restart.py": "" }, "ops/restart.py", "there is no ops/restart.py.py", "Write --script ops/restart,"],
  [{ "ops/restart.py": "", "ops/restart.ps1": "" }, "ops/restart", "there are both ops/restart.py and", "another name"],
  [{ "ops/restart.py": LFS }, "ops/restart", "is a pointer of Git LFS", "git lfs pull"],
])("of a folder with %j the script %s is refused before there is a container", async (files, script, message, mend) => {
  const job = aJob({ script, source: { kind: "directory", path: await scripts(files) } });
  const refusal = {
    ...{ kind: "usage", message: expect.stringMatching(message) as string },
    mend: expect.stringContaining(mend) as string,
  };
  await expect(readInput(job)).rejects.toMatchObject(refusal);
  for (const on of ["docker", "kubernetes"]) {
    const values = { on, "dry-run": true };
    await expect(runJob(job, {}, { values, progress: silent })).rejects.toMatchObject(refusal);
  }
});

it("a script that is there is shown by a dry run, and one of a repository is not looked for here", async () => {
  const path = await scripts({ "ops/restart.ps1": "1", "ops/restart.schema.json": "{}" });
  const repository = { kind: "repository", url: "https://git.example/x", commit: "a".repeat(40) };
  for (const source of [{ kind: "directory", path }, repository]) {
    const shown = await runJob(aJob({ source }), {}, { values: { "dry-run": true }, progress: silent });
    expect(shown.text).toContain("SCRIPT_ID=ops/restart");
  }
});
