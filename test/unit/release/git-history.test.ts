import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  readBranchVersions,
  readFileAt,
  readFileVersions,
  readIsUncommitted,
  readStackFiles,
  readTrunks,
} from "../../../release/git-history.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const DEV = "stacks/Pulumi.dev.yaml";
let repository: string;
/** Below the repository's root, as a project may be. */
let project: string;

function git(args: readonly string[], date = "2026-01-01T12:00:00Z") {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
  const env = { ...process.env, GIT_AUTHOR_DATE: "2025-12-24T12:00:00+02:00", GIT_COMMITTER_DATE: date };
  return run("git", [...who, ...args], { cwd: repository, env });
}

async function commit(subject: string, files: Readonly<Record<string, string>>, date?: string): Promise<void> {
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(project, file), text);
  await git(["add", "--all"]);
  await git(["commit", "--quiet", "--allow-empty", "--message", subject], date);
}

beforeEach(async () => {
  repository = await temporaryDirectory();
  project = path.join(repository, "infra");
  await mkdir(path.join(project, "stacks"), { recursive: true });
  await git(["init", "--quiet", "--initial-branch=main"]);
});

describe("readFileVersions", () => {
  it("gives the commits at which the file came onto the branch, with its text there", async () => {
    await commit("One | two", { [DEV]: "ä: 1\n", "stacks/other": "" });
    await commit("Elsewhere", { "stacks/other": "1" });
    await git(["checkout", "--quiet", "-b", "side"]);
    await commit("On the side", { [DEV]: "b: 2\n" });
    await commit("Better", { [DEV]: "c: 3\n" });
    await git(["checkout", "--quiet", "main"]);
    await git(["merge", "--quiet", "--no-ff", "--message", "Merge it", "side"], "2026-02-01T12:00:00Z");
    await rm(path.join(project, DEV));
    await commit("Away", {});
    const versions = await readFileVersions(project, DEV);
    expect(versions.map(({ subject, text }) => [subject, text])).toEqual([
      ["Away", undefined],
      ["Merge it", "c: 3\n"],
      ["One | two", "ä: 1\n"],
    ]);
    expect(versions[1]).toMatchObject({ committed: expect.stringMatching(/^2026-02-01T12:00:00/) as string });
    expect(versions[1]).toMatchObject({ authored: "2025-12-24T12:00:00+02:00" });
    expect(await readStackFiles(project)).toEqual([DEV]);
  });

  it("is a usage error where there is no repository, no commit, or a part of the history", async () => {
    const error = { kind: "usage" };
    await expect(readFileVersions(await temporaryDirectory(), DEV)).rejects.toMatchObject(error);
    await expect(readFileVersions(project, DEV)).rejects.toMatchObject(error);
    await commit("One", { [DEV]: "a: 1\n" });
    await commit("Two", { [DEV]: "a: 2\n" });
    const shallow = path.join(await temporaryDirectory(), "clone");
    await run("git", ["clone", "--quiet", "--depth=1", `file://${repository}`, shallow]);
    const attempt = readFileVersions(path.join(shallow, "infra"), DEV);
    await expect(attempt).rejects.toMatchObject({
      ...error,
      mend: expect.stringContaining("fetch-depth: 0") as string,
    });
  });
});

describe("readBranchVersions", () => {
  it("gives what any branch said since then, and says now, however long ago it was written", async () => {
    await commit("Start", { [DEV]: "main\n" }, "2025-01-01T12:00:00Z");
    await git(["checkout", "--quiet", "-b", "old"]);
    await commit("Promote", { [DEV]: "old\n" }, "2025-02-01T12:00:00Z");
    await git(["checkout", "--quiet", "-b", "new", "main"]);
    await commit("Draft", { [DEV]: "draft\n" }, "2026-02-01T12:00:00Z");
    await commit("Final", { [DEV]: "final\n" }, "2026-02-02T12:00:00Z");
    await git(["checkout", "--quiet", "main"]);
    const found = await readBranchVersions(project, new Date("2026-01-01T00:00:00Z"));
    expect(found.map(({ file, text, branch }) => [file, text?.trim(), branch])).toEqual([
      [DEV, "final", undefined],
      [DEV, "draft", undefined],
      [DEV, "main", "main"],
      [DEV, "final", "new"],
      [DEV, "old", "old"],
    ]);
  });
});

describe("readTrunks", () => {
  const origin = (branch: string, commit: string) => git(["update-ref", `refs/remotes/origin/${branch}`, commit]);

  it("is the present commit alone where that is the default branch, or where there is none", async () => {
    await git(["branch", "--move", "trunk"]);
    await commit("One", { [DEV]: "a: 1\n" });
    expect(await readTrunks(project)).toEqual(["HEAD"]);
    await origin("main", "HEAD");
    expect(await readTrunks(project)).toEqual(["HEAD"]);
  });

  it("is the default branch too, wherever the checkout stands, and whatever it is called", async () => {
    await commit("One", { [DEV]: "a: 1\n" });
    await commit("Two", { [DEV]: "a: 2\n" });
    await git(["checkout", "--quiet", "--detach", "HEAD~1"]);
    expect(await readTrunks(project)).toEqual(["HEAD", "refs/heads/main"]);
    await origin("main", "main");
    expect(await readTrunks(project)).toEqual(["HEAD", "refs/remotes/origin/main"]);
    await origin("trunk", "main");
    await git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    const trunks = await readTrunks(project);
    expect(trunks).toEqual(["HEAD", "refs/remotes/origin/HEAD"]);
    const texts = await Promise.all(trunks.map((trunk) => readFileVersions(project, DEV, trunk)));
    expect(texts.map((versions) => versions.map(({ text }) => text?.trim()))).toEqual([["a: 1"], ["a: 2", "a: 1"]]);
  });
});

describe("a file at a commit", () => {
  it("is read by any name of the commit, and what is none is a usage error", async () => {
    await commit("One", { [DEV]: "a: 1\n" });
    expect(await readFileAt(project, "main", DEV)).toMatchObject({ text: "a: 1\n", subject: "One" });
    expect(await readFileAt(project, "main", "stacks/none")).toMatchObject({ text: undefined });
    for (const revision of ["nowhere", "--all", "main~5"]) {
      await expect(readFileAt(project, revision, DEV)).rejects.toMatchObject({ kind: "usage" });
    }
  });

  it("is uncommitted where it was changed, staged or never added", async () => {
    await commit("One", { [DEV]: "a: 1\n" });
    expect(await readIsUncommitted(project, DEV)).toBe(false);
    await writeFile(path.join(project, DEV), "a: 2\n");
    expect(await readIsUncommitted(project, DEV)).toBe(true);
    await git(["add", "--all"]);
    expect(await readIsUncommitted(project, DEV)).toBe(true);
    await writeFile(path.join(project, "stacks/new"), "");
    expect(await readIsUncommitted(project, "stacks/new")).toBe(true);
  });
});
