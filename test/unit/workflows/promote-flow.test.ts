import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const WORKFLOW = path.join(import.meta.dirname, "../../../.github/workflows/promote.yml");

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly run?: string;
}

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

let folder: string;

const git = async (...args: readonly string[]) => {
  const who = ["-c", "user.name=kiln", "-c", "user.email=kiln@example.com"];
  return (await run("git", [...who, ...args], { cwd: folder })).stdout.trim();
};

/** A merge to main that leaves these files, and its commit. */
async function merge(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "merge");
  await git("update-ref", "refs/remotes/origin/main", "HEAD");
  return git("rev-parse", "HEAD");
}

/** What the step of `promote.yml` says of a commit, and with which code it ends. */
async function look(commit: string) {
  const { jobs } = parse(await readFile(WORKFLOW, "utf8")) as Workflow;
  const script = jobs.up?.steps.find(({ name }) => name === "Main still says what this brings up")?.run ?? "exit 9";
  const env = { ...process.env, STACK: "prod", GITHUB_SHA: commit };
  return run("bash", ["-e", "-c", script], { cwd: folder, env, allowFailure: true });
}

beforeEach(async () => {
  folder = await temporaryDirectory();
  await mkdir(path.join(folder, "stacks"));
  await git("init", "--quiet", "--initial-branch=main");
});

describe("a merge that is brought up late", () => {
  it("is, where nothing of its stack was merged since", async () => {
    const commit = await merge({ "stacks/Pulumi.prod.yaml": "a: 1\n" });
    expect((await look(commit)).code).toBe(0);
    await merge({ "stacks/Pulumi.dev.yaml": "a: 2\n", "index.ts": "" });
    expect((await look(commit)).code).toBe(0);
  });

  it("is not, where the stack's file is another by now", async () => {
    const commit = await merge({ "stacks/Pulumi.prod.yaml": "a: 1\n" });
    const later = await merge({ "stacks/Pulumi.prod.yaml": "a: 2\n" });
    const { code, stderr } = await look(commit);
    expect([code, stderr]).toEqual([1, expect.stringContaining("stacks/Pulumi.prod.yaml is another one on main")]);
    expect((await look(later)).code).toBe(0);
  });
});

describe("what is merged", () => {
  it.each([
    ["alone", [], "--follow dev"],
    ["and dev-arm64, where that is a stack", ["stacks/Pulumi.dev-arm64.yaml"], "--follow dev --follow dev-arm64"],
  ])("counts for dev %s", async (_, files, follow) => {
    await merge(Object.fromEntries(["stacks/Pulumi.dev.yaml", ...files].map((name) => [name, "a: 1\n"])));
    const { jobs } = parse(await readFile(WORKFLOW, "utf8")) as Workflow;
    const script = jobs.touched?.steps.find(({ id }) => id === "touched")?.run ?? "exit 9";
    const [bin, output] = [path.join(folder, "bin"), path.join(folder, "output")];
    await mkdir(bin);
    await writeFile(path.join(bin, "npx"), '#!/bin/sh\necho "$*"\n', { mode: 0o755 });
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH ?? ""}`, BEFORE: "before", GITHUB_OUTPUT: output };
    await run("bash", ["-e", "-c", script], { cwd: folder, env });
    const said = `matrix=kiln release touched --base before ${follow} --matrix --quiet\n`;
    expect(await readFile(output, "utf8")).toBe(said);
  });
});
