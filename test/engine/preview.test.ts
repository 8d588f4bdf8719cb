import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EngineProject, errorsIn } from "../support/engine-project.ts";

const WARM = `ghcr.io/your-org/your-repo/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;
const STACK_FILE = "stacks/Pulumi.dev.yaml";

let project: EngineProject;
let committed: string;

beforeAll(async () => {
  project = await EngineProject.create();
  committed = await project.read(STACK_FILE);
  await project.pulumi("stack", "init", "dev", "--no-select");
});

afterAll(() => project.remove());

describe("a preview of dev", () => {
  afterEach(() => project.write(STACK_FILE, committed));

  it("without a warm image fails with that sentence alone", async () => {
    const result = await project.pulumi("preview", "--stack", "dev");
    expect(result.code).not.toBe(0);
    expect(errorsIn(result)).toEqual([
      "no warm image is set for stack dev: bake one with `npx kiln cache bake --stack dev`, " +
        "or take a verified one from another stack with `npx kiln release promote --from <stack> --to dev`",
    ]);
    expect(result.stdout).not.toMatch(/^\s+at /m);
    expect(await project.read(STACK_FILE)).toBe(committed);
  });

  it("plans the language runners and the images for jobs that the stack asks for", async () => {
    const own =
      "  kiln:languageImages: { golang: { base: localhost:5180/debian:12 } }\n  kiln:jobImages: { base: {} }\n";
    await project.write(STACK_FILE, `${committed.trimEnd()}\n  kiln:warmImage: ${WARM}\n${own}`);
    const steps = await project.planned("dev");
    expect(steps.filter((step) => /(?:Language|Job)Image$/.test(step))).toEqual(
      expect.arrayContaining(["create kiln:image:JobImage", "create kiln:image:LanguageImage"]),
    );
  });

  it("with a warm image prints the plan and builds nothing", async () => {
    await project.pulumi("config", "set", "--stack", "dev", "kiln:warmImage", WARM);
    expect(await project.planned("dev")).toEqual(expect.arrayContaining(["create docker:index/image:Image"]));
    const { code, stdout } = await project.pulumi("preview", "--stack", "dev");
    expect(code).toBe(0);
    expect(stdout).toContain("Using kiln's loopback docker plugin");
    expect(await project.dockerCalls()).toEqual([]);
  });

  it.each([
    [
      "a misspelt key",
      "kiln:warmimage: x",
      `${STACK_FILE}: kiln:warmimage is not a setting. Did you mean kiln:warmImage?`,
    ],
    [
      "a misspelt key inside",
      "kiln:image: { platfrom: linux/amd64 }",
      `${STACK_FILE}: kiln:image.platfrom is not a setting. Did you mean kiln:image.platform?`,
    ],
    [
      "a wrong type",
      "kiln:image: { tag: 1 }",
      `${STACK_FILE}: kiln:image.tag must be text, but is the number 1. Write it in quotes: "1"`,
    ],
  ])("with %s fails with the key, the file and the mend", async (_, line, message) => {
    await project.write(STACK_FILE, `${committed.trimEnd()}\n  ${line}\n`);
    const result = await project.pulumi("preview", "--stack", "dev");
    expect(result.code).not.toBe(0);
    expect(errorsIn(result)).toEqual([message]);
  });
});

describe.each(["dev", "staging", "prod"])("a preview of %s without a network", (stack) => {
  const file = `stacks/Pulumi.${stack}.yaml`;

  it("prints the full plan: controller, zones, caches, scale sets and the GitHub side", async () => {
    const text = await project.read(file);
    await project.pulumi("stack", "init", stack, "--no-select");
    await project.write(file, `${text.trimEnd()}\n  kiln:warmImage: ${WARM}\n`);
    const plan = await project.plannedNames(stack);
    expect(plan.filter((step) => !step.startsWith("create "))).toEqual([]);
    expect(plan).toEqual(
      expect.arrayContaining([
        "create CustomResourceDefinition runners-controller-autoscalingrunnersets",
        "create Deployment runners-controller",
        "create Namespace runners-platform-trusted",
        "create NetworkPolicy runners-platform-untrusted-default-deny",
        "create PersistentVolumeClaim runners-platform-trusted-cache-lane-1",
        `create AutoscalingRunnerSet ${stack}-platform-bake-lane-0`,
        `create AutoscalingRunnerSet ${stack}-platform-assemble`,
        `create AutoscalingRunnerSet ${stack}-platform-check`,
        `create ActionsRunnerGroup github-group-kiln-${stack}-platform-trusted`,
        `create RepositoryEnvironment github-environment-${stack}`,
        "create Image actions-runner",
        "create Image iac-runner",
      ]),
    );
    const { code, stdout } = await project.pulumi("preview", "--stack", stack);
    expect(code).toBe(0);
    expect(stdout).toContain("skipped: the checks against the cluster, because there is no kubeconfig");
    expect(stdout).toContain("by hand: install the runners' GitHub App for your-org");
    expect(stdout).toContain("GitHub Team does not offer runner groups restricted to workflows");
    expect(stdout).toContain("the age of the runner is not known");
    await project.write(file, text);
  });
});

describe("the first preview of a committed stack in an empty backend", () => {
  it.each(["local", "staging", "prod"])("leaves the file of %s as it is", async (stack) => {
    const before = await project.read(`stacks/Pulumi.${stack}.yaml`);
    await project.pulumi("stack", "init", stack, "--no-select");
    const result = await project.pulumi("preview", "--stack", stack);
    expect(errorsIn(result).join()).toContain(`no warm image is set for stack ${stack}`);
    expect(await project.read(`stacks/Pulumi.${stack}.yaml`)).toBe(before);
  });
});

describe("an update of dev", () => {
  it("is refused by the loopback plugins, before anything is built", async () => {
    await project.write(STACK_FILE, `${committed.trimEnd()}\n  kiln:warmImage: ${WARM}\n`);
    const result = await project.pulumi("up", "--yes", "--skip-preview", "--stack", "dev");
    expect(result.code).not.toBe(0);
    expect(errorsIn(result).join()).toContain("`pulumi plugin install resource docker 5.2.0`");
    expect(await project.dockerCalls()).toEqual([]);
  });
});
