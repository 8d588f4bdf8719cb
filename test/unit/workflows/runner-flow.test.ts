import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { matchesTags } from "../../../release/workflow/tag-pattern.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { resultsOf, WorkflowProject } from "../../support/workflow-project.ts";

const FOLDER = path.join(import.meta.dirname, "../../../.github/workflows");
const RUNNER = "pulumi-runner";
const PLATFORMS = ["linux/amd64", "linux/arm64"];

/** What goes wrong: what the plan does first, the build that fails, the image in which something is found. */
interface Faults {
  readonly plan?: string;
  readonly broken?: string;
  readonly unsound?: string;
}

/** kiln's part: a plan of two languages, and images whose digest tells of their platform. */
function npx(log: string, environment: string, faults: Faults): string {
  const { plan: first = "", broken = "nothing", unsound = "nothing" } = faults;
  const include = ["golang", "python"].flatMap((language) =>
    PLATFORMS.map((platform) => ({ language, variant: "slim", platform, runs_on: "ubuntu-24.04" })),
  );
  const plan = { plans: [{ environment, version: "3.253.0" }] };
  return `#!/bin/sh
set -e
echo "$*" >> '${log}'
case "$*" in
  "kiln release plan"*--require-ready*) ${first} echo '${JSON.stringify(plan, null, 2)}' ;;
  "kiln release plan"*--matrix) echo '${JSON.stringify({ include })}' ;;
  "kiln language build --language ${broken}"*) exit 1 ;;
  "kiln release scan --engine-image ${unsound}"*) exit 3 ;;
  "kiln language push"*) echo "public.ecr.aws/acme/runner-pulumi-$LANGUAGE@sha256:$PLATFORM" ;;
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
  await project.commit({ [RUNNER]: await textOf(RUNNER) });
});

function textOf(name: string): Promise<string> {
  return readFile(path.join(FOLDER, `${name}.yml`), "utf8");
}

/** Runs the workflow for a tag. */
async function release(tag: string, environment: string, faults: Faults = {}) {
  for (const [name, script] of Object.entries({ npx: npx(log, environment, faults), npm: "#!/bin/sh\n" })) {
    await writeFile(path.join(programs, name), script, { mode: 0o755 });
  }
  await run("git", ["tag", tag], { cwd: project.folder });
  const done = await project.run({
    tag,
    workflow: `.github/workflows/${RUNNER}.yml`,
    env: { PATH: `${programs}:${process.env.PATH ?? ""}`, GITHUB_TOKEN: "own-token" },
  });
  const calls = (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
  return { results: resultsOf(done), calls, failures: done.failures };
}

describe("the workflow of a language runner's tag", { timeout: 60_000 }, () => {
  it("builds, checks and scans before it pushes, and sets tags last, on all platforms of an image", async () => {
    const { results, calls } = await release("dev-v3.253.0", "preproduction");
    // Production has jobs of its own, which may write packages.
    const skipped = Object.keys(results).filter((title) => results[title] === "skipped");
    expect(skipped.map((title) => title.split(" ", 1)[0])).toEqual(["build", "publish"]);
    expect(new Set(Object.values(results))).toEqual(new Set(["success", "skipped"]));
    const own = calls.filter((call) => call.includes("--language golang") && !call.includes("arm64"));
    const image = "--image runner-pulumi-golang:slim";
    const what = "--language golang --variant slim";
    const before = own.filter((call) => !call.includes("publish"));
    const pushed = `kiln language push --tag dev-v3.253.0 ${what} ${image}`;
    expect(
      before.filter((call) => call !== pushed).map((call) => call.replace(/ --source \S+ --revision \S+/, "")),
    ).toEqual([
      `kiln language build ${what} --platform linux/amd64 --pulumi-version 3.253.0 ${image}`,
      `kiln language check ${what} --platform linux/amd64 --pulumi-version 3.253.0 ${image}`,
    ]);
    const scanned = "kiln release scan --engine-image runner-pulumi-golang:slim";
    // The steps of the other platform, which run beside, are called alike: each push follows a check and a scan of its own.
    const count = (upTo: number, beginning: string) =>
      calls.slice(0, upTo).filter((call) => call.startsWith(beginning)).length;
    const pushes = calls.flatMap((call, index) => (call === pushed ? [index] : []));
    expect(pushes).toHaveLength(2);
    for (const [before, at] of pushes.entries()) {
      expect(count(at, scanned)).toBeGreaterThan(before);
      expect(count(at, `kiln language check ${what}`)).toBeGreaterThan(before);
    }
    const digests = PLATFORMS.map((platform) => `--image=public.ecr.aws/acme/runner-pulumi-golang@sha256:${platform}`);
    expect(calls.filter((call) => call.includes("publish") && call.includes("golang"))).toEqual([
      `kiln language publish --tag dev-v3.253.0 ${what} ${digests.join(" ")}`,
    ]);
  });

  it("builds nothing where the release is not ready: an example of a registry, or a base without a digest", async () => {
    const { results, calls } = await release("v3.253.0", "production", { plan: "exit 2;" });
    expect(results.plan).toBe("failure");
    expect(calls).toEqual(["kiln release plan --tag v3.253.0 --require-ready --json"]);
  });

  it("pushes nothing in which the scan finds what can be mended", async () => {
    const { results, calls } = await release("v3.253.0", "production", { unsound: "runner-pulumi-python:slim" });
    expect(results).toMatchObject({ "build python slim linux/amd64": "failure", "publish golang slim": "success" });
    expect(calls.filter((call) => /language (push|publish)/.test(call) && call.includes("python"))).toEqual([]);
  });

  it("publishes the other languages where one platform of one does not build, and no half of that one", async () => {
    const broken = "python --variant slim --platform linux/arm64";
    const { results, calls, failures } = await release("v3.253.0", "production", { broken });
    expect(results).toMatchObject({
      "build golang slim linux/amd64": "success",
      "build python slim linux/amd64": "success",
      "build python slim linux/arm64": "failure",
      "publish golang slim": "success",
      "publish python slim": "failure",
    });
    expect(calls.filter((call) => call.includes("publish")).map((call) => /--language (\S+)/.exec(call)?.[1])).toEqual([
      "golang",
    ]);
    expect(failures).toEqual([
      expect.stringContaining("build python slim linux/arm64"),
      expect.stringContaining('publish python slim: the step "Every platform was pushed'),
    ]);
  });
});

interface Workflow {
  readonly on: { readonly push: { readonly tags: readonly string[] } };
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly if?: string;
        readonly needs?: string | readonly string[];
        readonly environment?: string;
        readonly permissions: object;
        readonly steps: readonly { uses?: string; run?: string; with?: Readonly<Record<string, unknown>> }[];
      }
    >
  >;
}

describe("the workflow's file", () => {
  it.each([
    ["dev-v3.253.0", true],
    ["latest-v3.253.0", true],
    ["v3.253.0", true],
    ["iac-runner-base-v1.2.3", false],
    ["job-runner-v1.2.3", false],
    ["v3", false],
  ])("is started by %s: %s", async (tag, starts) => {
    const { on } = parse(await textOf(RUNNER)) as Workflow;
    expect(matchesTags(tag, on.push.tags)).toBe(starts);
  });

  it("releases tags alone: a branch that is called like one, which a person may start it at, is none", async () => {
    const { jobs } = parse(await textOf(RUNNER)) as Workflow;
    expect(jobs.trusted?.if).toBe("github.ref_type == 'tag'");
    expect([jobs.plan?.needs, jobs.build?.needs, jobs["build-to-try"]?.needs]).toEqual(["trusted", "plan", "plan"]);
    for (const job of [jobs.publish, jobs["publish-to-try"]]) {
      expect(job?.if).toContain("needs.plan.result == 'success'");
    }
  });

  it("lets nobody into Amazon but jobs of the environment that the role trusts, and no other job ask for an identity", async () => {
    const { jobs } = parse(await textOf(RUNNER)) as Workflow;
    for (const [name, { environment, permissions, steps }] of Object.entries(jobs)) {
      const enters = steps.some(({ uses = "" }) => uses.startsWith("aws-actions/"));
      expect([name, environment], name).toEqual([
        name,
        enters ? (name.endsWith("-to-try") ? "runners-preproduction" : "runners-production") : undefined,
      ]);
      expect("id-token" in permissions, name).toBe(enters);
    }
  });

  it("lets jobs of production write GitHub's packages, and those of what is to be tried do the same without", async () => {
    const { jobs } = parse(await textOf(RUNNER)) as Workflow;
    const writers = Object.entries(jobs).filter(([, { steps }]) =>
      steps.some(({ run: script = "" }) => /kiln language (?:push|publish)\b/.test(script)),
    );
    expect(writers.map(([name]) => name).sort()).toEqual(["build", "build-to-try", "publish", "publish-to-try"]);
    for (const [name, { if: condition, permissions, steps }] of writers) {
      const environment = name.endsWith("-to-try") ? "preproduction" : "production";
      expect(condition, name).toContain(`needs.plan.outputs.environment == '${environment}'`);
      expect("packages" in permissions, name).toBe(environment === "production");
      expect(steps).toEqual(jobs[name.replace("-to-try", "")]?.steps);
      const login = steps.findIndex(({ with: given }) => given?.registry === "ghcr.io");
      const write = steps.findIndex(({ run: script = "" }) => /kiln language (?:push|publish)\b/.test(script));
      expect(steps[login], name).toMatchObject({
        ...{ uses: expect.stringMatching(/^docker\/login-action@/) as string },
        if: "needs.plan.outputs.environment == 'production'",
      });
      expect(login, name).toBeLessThan(write);
    }
  });

  it("of the watcher hands the App's token over, and no other one to push with", async () => {
    const text = await textOf("watch");
    expect(text).toContain("KILN_APP_TOKEN: ${{ steps.app.outputs.token }}");
    expect((parse(text) as Workflow).jobs.watch?.permissions).toEqual({ contents: "read" });
  });
});
