import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Artifacts } from "../../../../release/workflow/artifacts.ts";
import type { ActionCall } from "../../../../release/workflow/stand-in.ts";
import { downloadArtifact, uploadArtifact } from "../../../../release/workflow/stand-ins/artifact.ts";
import { cache } from "../../../../release/workflow/stand-ins/cache.ts";
import { checkout } from "../../../../release/workflow/stand-ins/checkout.ts";
import { run } from "../../../../toolchain/process.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

let root: string;
let said: string[];
beforeEach(async () => {
  root = await temporaryDirectory();
  said = [];
});

/** A call by a job with a workspace of its own. */
async function callOf(job: string, given: Readonly<Record<string, string>>, commit = ""): Promise<ActionCall> {
  const places = {
    root: path.join(root, job),
    workspace: path.join(root, job, "workspace"),
    home: path.join(root, job, "home"),
  };
  await mkdir(places.workspace, { recursive: true });
  const below = (name: string) => path.join(root, name);
  const folders = { root, jobs: root, artifacts: below("artifacts"), cache: below("cache"), groups: below("groups") };
  return {
    with: given,
    job: { ...places, temp: path.join(root, job, "temp"), key: job },
    run: { ...folders, project: path.join(root, "project"), commit, repository: "kiln/kiln" },
    artifacts: new Artifacts(folders.artifacts, () => Promise.resolve()),
    env: process.env,
    signal: new AbortController().signal,
    say: (line) => said.push(line),
  };
}

describe("actions/cache", () => {
  const given = { path: "deps\n~/.tool\nnone", key: "deps-1", "restore-keys": "deps-" };

  it("gives a later job what a job kept once it had succeeded", async () => {
    const first = await callOf("one", given);
    const end = await cache.run(first);
    expect(end.outputs).toMatchObject({ "cache-hit": "false", "cache-matched-key": "" });
    await mkdir(path.join(first.job.workspace, "deps"));
    await mkdir(path.join(first.job.home, ".tool"), { recursive: true });
    await writeFile(path.join(first.job.workspace, "deps/a"), "a");
    await writeFile(path.join(first.job.home, ".tool/b"), "b");
    expect((await cache.run(await callOf("early", given))).outputs["cache-hit"]).toBe("false");
    await end.afterJob?.();

    const second = await callOf("two", given);
    const hit = await cache.run(second);
    expect(hit.outputs["cache-hit"]).toBe("true");
    expect(hit.afterJob).toBeUndefined();
    expect(await readFile(path.join(second.job.workspace, "deps/a"), "utf8")).toBe("a");
    expect(await readFile(path.join(second.job.home, ".tool/b"), "utf8")).toBe("b");

    const near = await cache.run(await callOf("three", { ...given, key: "deps-2" }));
    expect(near.outputs).toMatchObject({ "cache-hit": "false", "cache-matched-key": "deps-1" });
    expect(said.at(-1)).toBe("taken from deps-1");
  });
});

describe("actions/download-artifact", () => {
  const upload = async (shard: string) => {
    const call = await callOf(shard, { name: `shard-${shard}`, path: "out" });
    await mkdir(path.join(call.job.workspace, "out"));
    await writeFile(path.join(call.job.workspace, "out", `${shard}.json`), shard);
    await uploadArtifact.run(call);
  };
  const download = async (job: string, given: Readonly<Record<string, string>>) => {
    const call = await callOf(job, { path: "in", ...given });
    await downloadArtifact.run(call);
    const found = await readdir(path.join(call.job.workspace, "in"), { recursive: true, withFileTypes: true });
    const files = found.filter((entry) => entry.isFile());
    return files.map((file) => path.relative(call.job.workspace, path.join(file.parentPath, file.name))).sort();
  };

  it("puts several into a folder each, and one alone into the path itself", async () => {
    await upload("1");
    expect(await download("alone", { pattern: "shard-*" })).toEqual(["in/1.json"]);
    expect(await download("all-of-one", {})).toEqual(["in/1.json"]);
    await upload("2");
    expect(await download("both", { pattern: "shard-*" })).toEqual(["in/shard-1/1.json", "in/shard-2/2.json"]);
    expect(await download("merged", { pattern: "shard-*", "merge-multiple": "true" })).toEqual([
      "in/1.json",
      "in/2.json",
    ]);
    expect(await download("named", { name: "shard-2" })).toEqual(["in/2.json"]);
    await expect(download("none", { pattern: "layer-*" })).rejects.toThrow("there is no artifact layer-*");
  });
});

describe("actions/checkout", () => {
  const git = async (...args: string[]) => {
    const project = path.join(root, "project");
    await mkdir(project, { recursive: true });
    const own = ["-c", "user.name=kiln", "-c", "user.email=kiln@example.com"];
    return (await run("git", [...own, ...args], { cwd: project })).stdout.trim();
  };
  const write = (text: string) => writeFile(path.join(root, "project/a"), text);

  it("clones the commit of the run, or a ref, and can push nowhere", async () => {
    await git("init", "--quiet", "--initial-branch=main");
    await write("1");
    await git("add", "a");
    await git("commit", "--quiet", "-m", "1");
    const commit = await git("rev-parse", "HEAD");
    await git("switch", "--quiet", "-c", "next");
    await write("2");
    await git("commit", "--quiet", "-am", "2");
    await git("tag", "v2");
    await git("switch", "--quiet", "main");
    await write("not committed");

    const plain = await callOf("plain", {}, commit);
    expect((await checkout.run(plain)).outputs.commit).toBe(commit);
    expect(await readFile(path.join(plain.job.workspace, "a"), "utf8")).toBe("1");
    const pushed = await run("git", ["push", "origin", "HEAD:refs/heads/evil"], {
      cwd: plain.job.workspace,
      allowFailure: true,
    });
    expect(pushed.code).not.toBe(0);
    expect(await git("branch", "--list", "evil")).toBe("");

    for (const [index, ref] of ["v2", "next", "refs/heads/next"].entries()) {
      const other = await callOf(`ref-${index}`, { ref, path: "below" }, commit);
      await checkout.run(other);
      expect(await readFile(path.join(other.job.workspace, "below/a"), "utf8")).toBe("2");
    }
    await expect(checkout.run(await callOf("none", { ref: "gone" }, commit))).rejects.toThrow(
      "gone is no commit, branch or tag",
    );
    await expect(checkout.run(await callOf("other", { repository: "a/b" }, commit))).rejects.toThrow(
      "a/b is another repository",
    );
  });
});
