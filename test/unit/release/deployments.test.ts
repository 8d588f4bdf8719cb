import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { deploymentsIn, readDeployments } from "../../../release/deployments.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const IMAGE = `ghcr.io/acme/infra/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;
const COMMIT = "c".repeat(40);

/** As Pulumi 3.253 prints an update; the values of secrets are left out. */
const update = {
  ...{ version: 7, kind: "update", startTime: "2026-11-22T12:32:00.000Z", endTime: "2026-11-22T12:33:00.000Z" },
  ...{ message: "Promote to prod", result: "succeeded", resourceChanges: { update: 1 } },
  environment: { "git.head": COMMIT, "git.dirty": "false", "exec.kind": "cli" },
  config: { "kiln:warmImage": { value: IMAGE, secret: false }, "kiln:other": { secret: true } },
};
const deployment = {
  ...{ kind: "update", result: "succeeded", started: update.startTime, ended: update.endTime },
  ...{ warmImage: IMAGE, commit: COMMIT, dirty: false, message: "Promote to prod" },
};

describe("deploymentsIn", () => {
  it("has the image, the commit and the time of each update and destruction, and of nothing else", () => {
    const running = { ...update, result: "in-progress", endTime: undefined };
    const dirty = { ...update, kind: "destroy", environment: { "git.head": COMMIT, "git.dirty": "true" } };
    const others = ["refresh", "import", "rename", "preview"].map((kind) => ({ ...update, kind }));
    expect(deploymentsIn([running, ...others, dirty, update])).toEqual([
      { ...deployment, result: "in-progress", ended: undefined },
      { ...deployment, kind: "destroy", dirty: true },
      deployment,
    ]);
  });

  it("has what a standalone stack or a folder without Git says", () => {
    const bare = { kind: "update", startTime: update.startTime, result: "failed", config: { "kiln:warmImage": {} } };
    expect(deploymentsIn([bare])).toEqual([
      { kind: "update", result: "failed", started: update.startTime, dirty: false, message: "" },
    ]);
    for (const nothing of [null, {}, [null, 1, [], {}], "[]"]) expect(deploymentsIn(nothing)).toEqual([]);
  });
});

describe("readDeployments", () => {
  async function read(script: string) {
    const project = await temporaryDirectory();
    await mkdir(path.join(project, "bin"));
    const file = path.join(project, "bin/pulumi");
    await writeFile(file, `#!/bin/sh\necho "$*" > "${project}/call"\n${script}\n`);
    await chmod(file, 0o755);
    const env = { ...process.env, PATH: `${path.join(project, "bin")}:${process.env.PATH ?? ""}` };
    const found = await readDeployments({ project, stack: "prod", env });
    return { found, call: await readFile(path.join(project, "call"), "utf8") };
  }

  it("asks Pulumi, which needs no secret for it", async () => {
    const { found, call } = await read(`echo '${JSON.stringify([update])}'`);
    expect(found).toEqual([deployment]);
    expect(call).toBe("stack history --json --non-interactive --page 1 --page-size 100 --stack prod\n");
  });

  it("is empty where the backend has no such stack, and throws where it does not say", async () => {
    expect((await read("exit 6")).found).toEqual([]);
    expect((await read("echo \"error: no stack named 'prod' found\" >&2; exit 255")).found).toEqual([]);
    await expect(read("echo 'error: 401' >&2; exit 3")).rejects.toMatchObject({
      kind: "unreachable",
      message: "the history of stack prod cannot be read: error: 401",
    });
    await expect(read("echo so")).rejects.toMatchObject({ kind: "failed" });
  });
});
