import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { recordResources, valueOf, type RecordedResource } from "../support/mocks.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { writeTestCrds } from "../support/test-crds.ts";

const STACKS = path.join(import.meta.dirname, "../../stacks");
const WARM = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"a".repeat(64)}`;
const stacks = readdirSync(STACKS).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

/** Runs the program as the engine would, with the configuration of a stack file and `changes` on top. */
async function runProgram(stack: string, changes: Readonly<Record<string, string>>) {
  const document = parse(readFileSync(path.join(STACKS, `Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, unknown>;
  };
  const runners = "kiln:tenants" in document.config ? await offline(document.config["kiln:controller"]) : {};
  const config = { ...document.config, ...runners, ...changes };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
  );
  const resources = await recordResources(stack);
  const program = await import("../../index.ts");
  return { resources, program };
}

/** Runners that neither a cluster nor the CRDs' download is asked for. */
async function offline(controller: unknown): Promise<Readonly<Record<string, unknown>>> {
  const directory = await temporaryDirectory();
  vi.stubEnv("KUBECONFIG", path.join(directory, "none"));
  await writeTestCrds(path.join(directory, "crds"));
  return { "kiln:controller": { ...(controller as object | undefined), crds: path.join(directory, "crds") } };
}

/** How many resources there are of each type, but for those of runner sets, which tests of their own name. */
function counted(resources: readonly RecordedResource[]): Readonly<Record<string, number>> {
  const kinds = Map.groupBy(resources, ({ type }) => type);
  return Object.fromEntries([...kinds].map(([type, { length }]) => [type, length]));
}

const EVERY_STACK = {
  "docker:index/image:Image": 1,
  "kiln:image:RunnerImage": 1,
  "kiln:registry:ImageRepository": 1,
};

/** Two lanes and a Docker daemon in the trusted zone, one set in the untrusted one, each in a namespace of its own. */
const WITH_RUNNERS = {
  ...EVERY_STACK,
  "docker:index/image:Image": 2,
  "kiln:image:ActionsRunnerImage": 1,
  "kiln:registry:ImageRepository": 2,
  "kiln:runner:Runners": 1,
  "kiln:runner:RunnerController": 1,
  "kiln:runner:RunnerTenant": 1,
  "kiln:runner:RunnerNamespace": 3,
  "kiln:runner:CacheVolumes": 1,
  "kiln:runner:ImagePrePull": 3,
  "kiln:runner:RunnerScaleSet": 4,
  "kubernetes:actions.github.com/v1alpha1:AutoscalingRunnerSet": 4,
  "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": 4,
  "kubernetes:apps/v1:DaemonSet": 3,
  "kubernetes:apps/v1:Deployment": 1,
  "kubernetes:batch/v1:CronJob": 2,
  "kubernetes:core/v1:LimitRange": 3,
  "kubernetes:core/v1:Namespace": 4,
  "kubernetes:core/v1:PersistentVolumeClaim": 2,
  // The controller's and the scale sets': Kubernetes makes the default ones.
  "kubernetes:core/v1:ServiceAccount": 5,
  "kubernetes:networking.k8s.io/v1:NetworkPolicy": 9,
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": 1,
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": 1,
  "kubernetes:rbac.authorization.k8s.io/v1:Role": 5,
  "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": 5,
  // One of them takes over what is in the cluster: CRDs, and what was retained.
  "pulumi:providers:kubernetes": 2,
  "pulumi:providers:github": 1,
  "kiln:github:GithubAccess": 1,
  "github:index/actionsRunnerGroup:ActionsRunnerGroup": 2,
  "github:index/repositoryEnvironment:RepositoryEnvironment": 1,
  "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy": 1,
};

const EXPECTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  local: EVERY_STACK,
  "local-arm64": EVERY_STACK,
  dev: {
    ...WITH_RUNNERS,
    // Releases run at their tag, and are deployed here.
    "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy": 2,
    // So the rules of their tags stand here too.
    "github:index/repositoryRuleset:RepositoryRuleset": 2,
  },
  staging: WITH_RUNNERS,
  prod: {
    ...WITH_RUNNERS,
    // The replicas of the controller elect a leader.
    "kubernetes:rbac.authorization.k8s.io/v1:Role": 6,
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": 6,
  },
};

beforeEach(() => {
  vi.resetModules();
});

// The first run loads Pulumi's SDKs, which takes seconds where the machine is busy.
describe.each(stacks)("the program on stack %s", { timeout: 60_000 }, (stack) => {
  it("is exactly these resources", async () => {
    const { resources, program } = await runProgram(stack, { "kiln:warmImage": WARM });
    await valueOf(program.image);
    await vi.waitFor(() => {
      expect(counted(resources)).toEqual(EXPECTED[stack]);
    });
  });

  it("gives people the image, what it is made of and how it was checked", async () => {
    const { program } = await runProgram(stack, { "kiln:warmImage": WARM });
    expect(Object.keys(program).sort()).toEqual([
      ...["image", "jobImages", "languageImages", "languageRunners"],
      ...["scaleSets", "toolVersions", "verification", "warmImage"],
    ]);
    expect(await valueOf(program.image)).toMatch(/\/base-images\/iac-runner@sha256:d{64}$/);
    expect(await valueOf(program.warmImage)).toBe(WARM);
    expect([program.languageImages, program.jobImages]).toEqual([{}, {}]);
    expect(program.toolVersions).toEqual({
      go: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      pulumi: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      opentofu: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    });
  });

  it("stops with the message alone when no warm image is set", async () => {
    const run = runProgram(stack, { "kiln:warmImage": "" });
    await expect(run).rejects.toSatisfy((error) => pulumi.RunError.isInstance(error));
    await expect(run).rejects.toThrow(`no warm image is set for stack ${stack}`);
  });
});

describe("what a stack asks for beside its images", { timeout: 60_000 }, () => {
  it("is a registry of language runners, and a watcher on its cluster", async () => {
    const image = `ghcr.io/acme/infra/release-watcher@sha256:${"b".repeat(64)}`;
    const { resources, program } = await runProgram("local", {
      "kiln:warmImage": WARM,
      "kiln:languageRunners": JSON.stringify({ environment: "production", account: "123456789012", repository: "a/b" }),
      "kiln:releaseWatcher": JSON.stringify({ image, repository: "acme/infra", secret: "release-app" }),
    });
    await vi.waitFor(() => {
      expect(counted(resources)).toEqual({
        ...EVERY_STACK,
        "kiln:registry:ImageRepository": 7,
        "kiln:registry:LanguageRunnerRegistry": 1,
        "kiln:registry:PublishingRole": 1,
        "kiln:release:ReleaseWatcher": 1,
        "aws:ecrpublic/repository:Repository": 6,
        "aws:ecrpublic/repositoryPolicy:RepositoryPolicy": 6,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicy:RolePolicy": 1,
        "kubernetes:batch/v1:CronJob": 1,
        "kubernetes:core/v1:ConfigMap": 1,
        "kubernetes:core/v1:Namespace": 1,
        "kubernetes:networking.k8s.io/v1:NetworkPolicy": 3,
        "pulumi:providers:aws": 1,
        "pulumi:providers:kubernetes": 1,
      });
    });
    expect(Object.keys(program.languageRunners?.repositories ?? {})).toHaveLength(6);
  });

  it("is language runners and images for jobs of its own, each by digest", async () => {
    const { resources, program } = await runProgram("local", {
      "kiln:warmImage": WARM,
      "kiln:languageImages": JSON.stringify({ golang: {}, "python-aws": { language: "python", variant: "tools" } }),
      "kiln:jobImages": JSON.stringify({ python: { powershell: false } }),
    });
    const own = `localhost:5180/kiln/base-images`;
    const digest = `sha256:${"d".repeat(64)}`;
    expect(await valueOf(pulumi.output(program.languageImages))).toEqual({
      golang: `${own}/language-golang@${digest}`,
      "python-aws": `${own}/language-python-aws@${digest}`,
    });
    expect(await valueOf(pulumi.output(program.jobImages))).toEqual({ python: `${own}/job-python@${digest}` });
    const named = resources.map(({ type, name }) => `${type} ${name}`).filter((one) => /language|job/.test(one));
    expect(named.sort()).toEqual([
      "docker:index/image:Image job-python",
      "docker:index/image:Image language-golang",
      "docker:index/image:Image language-python-aws",
      "kiln:image:JobImage job-python",
      "kiln:image:LanguageImage language-golang",
      "kiln:image:LanguageImage language-python-aws",
      "kiln:registry:ImageRepository job-python-images",
      "kiln:registry:ImageRepository language-golang-images",
      "kiln:registry:ImageRepository language-python-aws-images",
    ]);
    const python = resources.find(({ type, name }) => type === "docker:index/image:Image" && name === "job-python");
    expect(python?.inputs).toMatchObject({
      imageName: `${own}/job-python:local`,
      build: { target: "python", platform: "linux/amd64", args: { POWERSHELL_IMAGE: "no-powershell" } },
    });
  });

  it("is no image for jobs with a download that nothing pins", async () => {
    const run = runProgram("local", { "kiln:warmImage": WARM, "kiln:jobImages": '{"kubernetes":{}}' });
    await expect(run).rejects.toSatisfy((error) => pulumi.RunError.isInstance(error));
    await expect(run).rejects.toThrow("the job image kubernetes for linux/amd64 has downloads without a checksum: oc");
  });
});
