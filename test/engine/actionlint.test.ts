import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { silent } from "../../progress.ts";
import { lintWorkflows } from "../../release/workflow/actionlint.ts";
import { places } from "../../toolchain/places.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { PROJECT } from "../support/checkout.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describe("actionlint", () => {
  let actionlint: string;
  beforeAll(async () => {
    actionlint = (await resolveTool("actionlint", { places: places(), progress: silent })).path;
  });

  it("has nothing to say of the workflows of this project", async () => {
    const { files, findings } = await lintWorkflows(actionlint, PROJECT);
    expect(files).toContain(".github/workflows/iac-runner-image.yml");
    expect(findings).toEqual([]);
  });

  it("names the line of a workflow that GitHub would not understand", async () => {
    const project = await temporaryDirectory();
    const folder = path.join(project, ".github/workflows");
    await mkdir(folder, { recursive: true });
    expect(await lintWorkflows(actionlint, project)).toEqual({ files: [], findings: [] });
    const text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ gihtub.sha }}\n";
    await writeFile(path.join(folder, "a.yml"), text);
    expect((await lintWorkflows(actionlint, project)).findings).toEqual([
      expect.objectContaining({
        ...{ file: ".github/workflows/a.yml", line: 6, code: "expression" },
        message: expect.stringContaining('"gihtub"') as string,
      }),
    ]);
    await writeFile(path.join(project, ".github/actionlint.yaml"), "paths: 5\n");
    await expect(lintWorkflows(actionlint, project)).rejects.toMatchObject({ kind: "failed" });
  });
});
