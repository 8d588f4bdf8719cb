import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { matchesTags } from "../../../release/workflow/tag-pattern.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { resultsOf, WorkflowProject } from "../../support/workflow-project.ts";

const FILE = path.join(import.meta.dirname, "../../../.github/workflows/job-runner.yml");
const PLATFORMS = ["linux/amd64", "linux/arm64"];
const TAG = "job-runner-v1.2.3";

/** kiln's part: a plan of two images, and images whose digest tells of their platform. Kubernetes for arm64 does not build. */
function npx(log: string): string {
  const include = ["base", "kubernetes"].flatMap((image) =>
    PLATFORMS.map((platform) => ({ image, platform, runs_on: "ubuntu-24.04" })),
  );
  return `#!/bin/sh
set -e
echo "$*" >> '${log}'
case "$*" in
  "kiln release plan"*--matrix) echo '${JSON.stringify({ include })}' ;;
  "kiln job image build --name kubernetes --platform linux/arm64"*) exit 1 ;;
  "kiln job image push"*) echo "ghcr.io/acme/infra/job-runner-$NAME@sha256:$PLATFORM" ;;
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
  await writeFile(path.join(project.folder, "package.json"), '{"type":"module"}\n');
  await project.commit({ "job-runner": await readFile(FILE, "utf8") });
});

describe("the workflow of a job runner's tag", { timeout: 60_000 }, () => {
  it("runs a job of each language before it pushes, and publishes the images of which all platforms are there", async () => {
    for (const [name, script] of Object.entries({ npx: npx(log), npm: "#!/bin/sh\n" })) {
      await writeFile(path.join(programs, name), script, { mode: 0o755 });
    }
    await run("git", ["tag", TAG], { cwd: project.folder });
    const done = await project.run({
      ...{ tag: TAG, workflow: ".github/workflows/job-runner.yml" },
      env: { PATH: `${programs}:${process.env.PATH ?? ""}`, GITHUB_TOKEN: "own-token" },
    });
    expect(resultsOf(done)).toMatchObject({
      "build base linux/amd64": "success",
      "build kubernetes linux/amd64": "success",
      "build kubernetes linux/arm64": "failure",
      "publish base": "success",
      "publish kubernetes": "failure",
      "roll-back": "skipped",
    });
    const calls = (await readFile(log, "utf8")).trimEnd().split("\n");
    const built = `--image job-runner-base:built`;
    const where = '--repo examples/jobs --parameters {"name":"release"}';
    for (const call of [
      `kiln job run ${built} --script greeting ${where}`,
      `kiln job run ${built} --script salute ${where}`,
      `kiln job image push --tag ${TAG} --name base ${built}`,
      ...PLATFORMS.map((platform) => `kiln release scan --image ghcr.io/acme/infra/job-runner-base@sha256:${platform}`),
    ]) {
      expect(calls.indexOf(call), call).toBeGreaterThan(-1);
      expect(calls.indexOf(call)).toBeLessThan(calls.findIndex((other) => other.includes("publish")));
    }
    const images = PLATFORMS.map((platform) => `--image=ghcr.io/acme/infra/job-runner-base@sha256:${platform}`).join(
      " ",
    );
    expect(
      calls.filter((call) => call.includes("publish") || call.includes("login") || call.includes("rollback")),
    ).toEqual([`kiln job image publish --tag ${TAG} --name base ${images}`]);
  });
});

interface Workflow {
  readonly on: {
    readonly push: { readonly tags: readonly string[] };
    readonly workflow_dispatch: { readonly inputs: Readonly<Record<string, { readonly default: unknown }>> };
  };
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly if?: string;
        readonly needs?: unknown;
        readonly environment?: string;
        readonly permissions: object;
        readonly steps: readonly { readonly run?: string; readonly env?: Readonly<Record<string, string>> }[];
        readonly concurrency?: object;
      }
    >
  >;
}

describe("the workflow's file", () => {
  const read = async () => parse(await readFile(FILE, "utf8")) as Workflow;

  it("is started by its own tags alone", async () => {
    const { on } = await read();
    for (const tag of [TAG, "job-runner-v1.2.3-rc.1"]) expect(matchesTags(tag, on.push.tags)).toBe(true);
    for (const tag of ["v1.2.3", "iac-runner-base-v1.2.3", "dev-v1.2.3"])
      expect(matchesTags(tag, on.push.tags)).toBe(false);
  });

  it("lets one job at a time look at latest and move it, a release as well as a way back, and drops none", async () => {
    const { jobs } = await read();
    const group = { group: "job-runner-latest", "cancel-in-progress": false, queue: "max" };
    expect([jobs.publish?.concurrency, jobs["roll-back"]?.concurrency]).toEqual([group, group]);
  });

  it("releases tags of main and rolls back from main, and lets write only what the environment's reviewers let in", async () => {
    const { jobs } = await read();
    expect(jobs.trusted?.if).toBe("github.ref_type == 'tag'");
    expect([jobs.plan?.needs, jobs.build?.needs]).toEqual(["trusted", "plan"]);
    expect(jobs.publish?.if).toContain("needs.plan.result == 'success'");
    expect(jobs["roll-back"]?.if).toContain("github.ref == 'refs/heads/main'");
    for (const [name, { environment, permissions }] of Object.entries(jobs)) {
      expect(environment !== undefined, name).toBe(Object.values(permissions).includes("write"));
      expect([undefined, "job-runners"]).toContain(environment);
    }
  });

  it("rolls back all images of a release, or the one that is named", async () => {
    const { on, jobs } = await read();
    expect(on.workflow_dispatch.inputs.name?.default).toBe("");
    const step = jobs["roll-back"]?.steps.find(({ run: script }) => script?.includes("image rollback"));
    expect(step?.env).toEqual({ RELEASE: "${{ inputs.roll-back-to }}", NAME: "${{ inputs.name }}" });
    await writeFile(path.join(programs, "npx"), '#!/bin/sh\necho "$*"\n', { mode: 0o755 });
    for (const [NAME, more] of [
      ["", ""],
      ["base", " --name base"],
      ["a b; id", " --name a b; id"],
    ] as const) {
      const env = { RELEASE: "1.2.2", NAME, PATH: `${programs}:${process.env.PATH ?? ""}` };
      const { stdout } = await run("bash", ["-e", "-c", step?.run ?? "exit 1"], { env });
      expect(stdout.trimEnd()).toBe(`kiln job image rollback --to 1.2.2${more}`);
    }
  });
});
