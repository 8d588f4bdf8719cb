import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { BASE_SHARD } from "../../../cache/plan.ts";
import { ownPlatform } from "../../../toolchain/platforms.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { resultsOf, TAG, WorkflowProject } from "../../support/workflow-project.ts";

const FOLDER = path.join(import.meta.dirname, "../../../.github/workflows");
const RELEASE = "iac-runner-release";

/**
 * kiln's part: a plan of these shards, what a shard compiled, a digest that tells of its stack. Whatever it is called with is
 * written down.
 */
function npx(log: string, shards: readonly string[]): string {
  const planFor = (goarch: string) => JSON.stringify({ contract: { goarch }, shards: shards.map((id) => ({ id })) });
  const include = shards.filter((id) => id !== BASE_SHARD).map((shard) => ({ shard, runs_on: "ubuntu-24.04" }));
  return `#!/bin/sh
set -e
echo "$*" >> '${log}'
case "$*" in
  "kiln release plan"*) test ! -e '${log}.refused' ;;
  "kiln cache plan"*)
    case "$*" in *"--stack dev-arm64 "*) echo '${planFor("arm64")}' ;; *) echo '${planFor("amd64")}' ;; esac > plan.json
    if [ -e '${log}.amd64' ]; then echo '${planFor("amd64")}' > plan.json; fi
    echo '${JSON.stringify({ include })}' ;;
  "kiln cache warm"*) mkdir shard; echo {} > shard/manifest.json ;;
  "kiln cache merge"*) shift 5; for shard; do test -f "$shard/manifest.json"; done ;;
  "kiln release scan"*) test -z "$KILN_VULNERABILITY_DB" ;;
  "kiln up"*) echo "token $GITHUB_TOKEN" >> '${log}' ;;
  "kiln release image"*) echo "ghcr.io/acme/iac-runner@sha256:$STACK" ;;
  "kiln release index"*) echo ghcr.io/acme/iac-runner@sha256:index ;;
esac
`;
}

let project: WorkflowProject;
let programs: string;
let log: string;
beforeEach(async () => {
  project = await WorkflowProject.make();
  programs = await temporaryDirectory();
  log = path.join(programs, "log");
  // The package of this project is of modules too, and a step asks Node about the plan.
  await writeFile(path.join(project.folder, "package.json"), '{"type":"module"}\n');
  await project.commit(await workflows());
});

async function workflows(): Promise<Readonly<Record<string, string>>> {
  const names = [RELEASE, "iac-runner-image", "iac-runner-index"];
  const texts = await Promise.all(names.map((name) => readFile(path.join(FOLDER, `${name}.yml`), "utf8")));
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ""]));
}

/** Runs the workflow for the tag, with a plan of these shards. */
async function release(
  shards: readonly string[],
  inputs: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
) {
  for (const [name, script] of Object.entries({ npx: npx(log, shards), npm: "#!/bin/sh\n" })) {
    await writeFile(path.join(programs, name), script, { mode: 0o755 });
  }
  const done = await project.run({
    inputs,
    workflow: `.github/workflows/${RELEASE}.yml`,
    env: { PATH: `${programs}:${process.env.PATH ?? ""}`, GITHUB_TOKEN: "own-token", ...env },
  });
  const calls = (await readFile(log, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  return { results: resultsOf(done), failures: done.failures, calls };
}

const git = (...args: readonly string[]) => run("git", args, { cwd: project.folder });

const THROUGH = {
  "image / trusted": "success",
  "image / plan": "success",
  "image / image": "success",
  arm64: "skipped",
  index: "skipped",
  publish: "success",
  propose: "skipped",
};

describe("the workflow of a release", () => {
  it("compiles the base before the shards", async () => {
    const { results, calls } = await release([BASE_SHARD, "shard-1", "shard-2"]);
    expect(results).toEqual({
      ...THROUGH,
      "image / base": "success",
      "image / shard shard-1": "success",
      "image / shard shard-2": "success",
    });
    const compiled = calls.flatMap((call) => /cache shard .*--shard (\S+)/.exec(call)?.[1] ?? []);
    expect([compiled[0], compiled.slice(1).sort()]).toEqual([BASE_SHARD, ["shard-1", "shard-2"]]);
    expect(calls).toContain("token own-token");
  });

  it("compiles and deploys nothing for a tag that is no release", async () => {
    await writeFile(`${log}.refused`, "");
    const { results, calls } = await release([BASE_SHARD, "shard-1"]);
    expect(results).toMatchObject({ "image / plan": "failure", "image / image": "skipped", publish: "skipped" });
    expect(calls).toEqual([`kiln release plan --tag ${TAG}`]);
  });

  it("goes through where the plan has no base", async () => {
    const { results, calls } = await release(["shard-1"]);
    expect(results).toEqual({ ...THROUGH, "image / base": "skipped", "image / shard shard-1": "success" });
    expect(calls.filter((call) => call.includes("--shard base"))).toEqual([]);
  });

  it("neither deploys nor tags an image with a vulnerability that can be mended", async () => {
    const { results, calls } = await release(["shard-1"], {}, { KILN_VULNERABILITY_DB: "https://mirror" });
    expect(results).toMatchObject({ "image / image": "failure", publish: "skipped" });
    expect(calls.filter((call) => /^kiln (up|release publish)/.test(call))).toEqual([]);
    const unseen = await release(["shard-1"], {}, { KILN_VULNERABILITY_DB: "none" });
    expect(unseen.results).toMatchObject({ "image / image": "success", publish: "success" });
    expect(unseen.calls.filter((call) => call.includes("release scan"))).toEqual(
      calls.filter((call) => call.includes("release scan")),
    );
  });

  it.each([[["shard-1"]], [[BASE_SHARD, "shard-1", "shard-2"]]])(
    "takes the artifacts of %j, one or several",
    async (shards) => {
      const { results, calls } = await release(shards, { transport: "artifacts" });
      expect(results).toMatchObject({ ...THROUGH, "image / base": "skipped" });
      const [merge = ""] = calls.filter((call) => call.startsWith("kiln cache merge"));
      const several = shards.length === 1 ? "shards" : "shards/shard-shard-1@dev shards/shard-shard-2@dev";
      expect(merge).toBe(`kiln cache merge --out merged ${several}`);
    },
  );
});

describe("a release for two architectures", () => {
  const both = { architectures: "amd64,arm64" };
  const about = (calls: readonly string[], words: string) => calls.filter((call) => call.startsWith(`kiln ${words}`));

  it("is one chain each, on runners of its own, and one sealed index, which gets the tags", async () => {
    const { results, calls } = await release(["shard-1", "shard-2"], { ...both, transport: "artifacts" });
    expect(results).toMatchObject({
      ...{ "image / base": "skipped", "arm64 / base": "skipped", "arm64 / shard shard-2": "success" },
      ...{ "arm64 / image": "success", "index / index": "success", publish: "success" },
    });
    const stacks = ["dev", "dev-arm64"];
    for (const stack of stacks) {
      expect(about(calls, `up --stack ${stack}`)).toContain(`kiln up --stack ${stack}`);
      const shards = ["shard-1", "shard-2"].map((shard) => `shards/shard-${shard}@${stack}`);
      expect(about(calls, "cache merge")).toContain(`kiln cache merge --out merged ${shards.join(" ")}`);
    }
    const [amd64, arm64] = stacks.map((stack) => `ghcr.io/acme/iac-runner@sha256:${stack}`);
    const index = "ghcr.io/acme/iac-runner@sha256:index";
    expect(calls.slice(-3)).toEqual([
      `kiln release index --stack dev --image ${amd64 ?? ""} --image ${arm64 ?? ""}`,
      `kiln release seal --stack dev --image ${index}`,
      `kiln release publish --tag ${TAG} --image ${index}`,
    ]);
    const said = expect.stringContaining("arm64 / plan (for ubuntu-24.04-arm; this machine is") as string;
    if (ownPlatform() === "linux/amd64") expect(project.notes).toContainEqual(said);
  });

  it("ends at once where a stack is for the other one, and releases no half of it", async () => {
    await writeFile(`${log}.amd64`, "");
    const { results, failures, calls } = await release(["shard-1"], both);
    expect(results).toMatchObject({
      ...{ "image / image": "success", "arm64 / plan": "failure", "arm64 / image": "skipped" },
      ...{ index: "skipped", publish: "skipped" },
    });
    expect(failures).toEqual([expect.stringContaining("arm64 / plan")]);
    expect([about(calls, "release index"), about(calls, "release publish")]).toEqual([[], []]);
  });
});

describe("a commit that main does not have", () => {
  beforeEach(async () => {
    await git("switch", "--quiet", "-c", "other");
    await writeFile(path.join(project.folder, "evil"), "");
    await project.commit({});
  });

  it("is run by no job, whatever a tag is called", async () => {
    await git("tag", "origin/main", TAG);
    const { results, failures, calls } = await release(["shard-1"]);
    expect(results).toMatchObject({
      ...{ "image / trusted": "failure", "image / plan": "skipped", "image / image": "skipped", publish: "skipped" },
    });
    expect(new Set(Object.values(results))).toEqual(new Set(["failure", "skipped"]));
    expect(failures).toEqual([expect.stringContaining("The commit is one of main's")]);
    expect(calls).toEqual([]);
  });

  it("is compared in the same words by every workflow that signs", async () => {
    const compared = Object.values(await workflows()).flatMap((text) =>
      [...text.matchAll(/ +- name: The commit is one of main's\n(?: {8}.*\n)+/g)].map(([step]) => step),
    );
    expect(compared).toHaveLength(2);
    expect(new Set(compared).size).toBe(1);
  });

  it("is run on a laptop whose checkout has no main, and not on GitHub", async () => {
    await git("branch", "--quiet", "-D", "main");
    expect((await release(["shard-1"])).results).toMatchObject(THROUGH);
    const { jobs } = parse((await workflows())["iac-runner-image"] ?? "") as {
      jobs: { trusted: { steps: { run?: string }[] } };
    };
    const compare = jobs.trusted.steps.at(-1)?.run ?? "";
    const there = { cwd: project.folder, allowFailure: true };
    const codes = ["", "true"].map(async (GITHUB_ACTIONS) => {
      const env = { ...process.env, GITHUB_ACTIONS, GITHUB_SHA: TAG };
      return (await run("bash", ["-e", "-c", compare], { ...there, env })).code;
    });
    expect(await Promise.all(codes)).toEqual([0, 1]);
  });
});
