import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { RunnerScaleSetArgs } from "../../../components/runner-scale-set.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";
import { recordRegistrations } from "../../support/registrations.ts";
import { scaleSetRequest } from "../../support/scale-set-request.ts";

const SET = "kubernetes:actions.github.com/v1alpha1:AutoscalingRunnerSet";
const ACCOUNT = "kubernetes:core/v1:ServiceAccount";
const ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role";
const BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding";
const PINNED_DOCKER = `docker.io/library/docker@sha256:${"d".repeat(64)}`;
const COMPONENT = "kiln:runner:RunnerScaleSet";

async function scaleSet(about: Partial<RunnerScaleSetArgs> = {}, dependsOn?: () => pulumi.Resource) {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  onTestFinished(() => {
    warn.mockRestore();
  });
  const resources = await recordResources();
  const registrations = recordRegistrations();
  const { RunnerScaleSet } = await import("../../../components/runner-scale-set.ts");
  const args = { ...scaleSetRequest(), ...about };
  const set = new RunnerScaleSet("iac", args, dependsOn === undefined ? {} : { dependsOn: dependsOn() });
  await valueOf(set.scaleSetName);
  return {
    set,
    resources: resources.map(({ type, name }) => `${type} ${name}`).toSorted(),
    inputsOf: (type: string) => resources.find((resource) => resource.type === type)?.inputs,
    registrations,
    registrationOf: (type: string, named = "") =>
      registrations.find((registration) => registration.type === type && registration.name.endsWith(named)),
    warn,
  };
}

describe("a runner scale set", () => {
  it("is a custom resource, the account of its pods, and what the controller may do", async () => {
    const { resources } = await scaleSet();
    expect(resources).toEqual([
      `${COMPONENT} iac`,
      `${SET} iac`,
      `${ACCOUNT} iac-no-permission`,
      `${ROLE} iac-manager`,
      `${BINDING} iac-manager`,
    ]);
  });

  it("with job hooks also says what they may do, and what their pods look like", async () => {
    const { resources } = await scaleSet({ mode: "kubernetes-novolume", hookTemplate: { spec: {} } });
    expect(resources).toEqual([
      `${COMPONENT} iac`,
      `${SET} iac`,
      "kubernetes:core/v1:ConfigMap iac-hook-template",
      `${ACCOUNT} iac-kube-mode`,
      `${ROLE} iac-kube-mode`,
      `${ROLE} iac-manager`,
      `${BINDING} iac-kube-mode`,
      `${BINDING} iac-manager`,
    ]);
  });

  it("with an account of one's own makes none", async () => {
    const { resources } = await scaleSet({ serviceAccountName: "mine" });
    expect(resources).toEqual([`${COMPONENT} iac`, `${SET} iac`, `${ROLE} iac-manager`, `${BINDING} iac-manager`]);
  });

  it("goes before what it is deleted with: its Roles, its account, and what the caller says", async () => {
    class RunnerController extends pulumi.ComponentResource {
      constructor() {
        super("kiln:runner:RunnerController", "controller");
        new k8s.core.v1.Namespace("arc-systems", {}, { parent: this });
        this.registerOutputs({});
      }
    }
    const { registrationOf } = await scaleSet({ mode: "kubernetes-novolume" }, () => new RunnerController());
    const controller = "kubernetes:core/v1:Namespace arc-systems";
    expect(registrationOf(SET)?.dependsOn).toEqual(
      [
        controller,
        `${ACCOUNT} iac-kube-mode`,
        `${ROLE} iac-kube-mode`,
        `${ROLE} iac-manager`,
        `${BINDING} iac-kube-mode`,
        `${BINDING} iac-manager`,
      ].toSorted(),
    );
    expect(registrationOf(ROLE, "manager")?.dependsOn).toEqual([controller]);
    expect(registrationOf(BINDING, "manager")?.dependsOn).toEqual([controller, `${ROLE} iac-manager`].toSorted());
    expect(registrationOf(ACCOUNT)?.dependsOn).toEqual([controller]);
  });

  it("is replaced where GitHub would not hear of a change, after its predecessor is gone", async () => {
    const { registrationOf, registrations } = await scaleSet();
    expect(registrationOf(SET)).toMatchObject({
      replaceOnChanges: ["spec.githubConfigUrl", "spec.runnerScaleSetLabels"],
      deleteTimeout: "30m",
    });
    const children = registrations.filter(({ type }) => type !== COMPONENT);
    // What the set stands on goes last: the controller needs it to sign the old set off.
    expect(children.filter(({ deleteBeforeReplace }) => deleteBeforeReplace).map(({ type }) => type)).toEqual([SET]);
    expect(children).toHaveLength(4);
    expect(children.map(({ parent }) => parent)).toEqual(children.map(() => `${COMPONENT} iac`));
  });

  it("waits for running jobs as long as it is told to", async () => {
    const { registrationOf } = await scaleSet({ deleteTimeoutMinutes: 90 });
    expect(registrationOf(SET)?.deleteTimeout).toBe("90m");
  });

  it("leaves everything but what comes from elsewhere to read before it is there", async () => {
    const image = pulumi.output(new Promise<string>((resolve) => setTimeout(resolve, 20, "runner@sha256:1")));
    const { inputsOf } = await scaleSet({ image, mode: "dind", credentialsVersion: pulumi.output("v1") });
    expect(inputsOf(SET)).toMatchObject({
      metadata: { name: "iac", annotations: { "actions.github.com/values-hash": "v1" } },
      spec: {
        maxRunners: 4,
        template: {
          spec: {
            initContainers: [{ name: "init-dind-externals", image: "runner@sha256:1" }, { image: "docker:dind" }],
            containers: [{ name: "runner", image: "runner@sha256:1" }],
          },
        },
      },
    });
  });

  it("says its name and its namespace", async () => {
    const { set } = await scaleSet();
    expect(await valueOf(set.scaleSetName)).toBe("iac");
    expect(await valueOf(set.namespace)).toBe("runners");
  });

  it("makes nothing where something is wrong, and says under which key", async () => {
    const resources = await recordResources();
    const { RunnerScaleSet } = await import("../../../components/runner-scale-set.ts");
    const args = { ...scaleSetRequest({ minRunners: 9 }), at: "kiln:runners.trusted" };
    expect(() => new RunnerScaleSet("iac", args)).toThrow("kiln:runners.trusted.maxRunners is 4, below");
    expect(resources.filter(({ type }) => type !== COMPONENT)).toEqual([]);
  });

  it.each([
    [{ mode: "dind" }, ["iac runs a privileged Docker daemon", "iac runs a Docker daemon whose image can move"]],
    [{ mode: "dind", dind: { image: PINNED_DOCKER } }, ["iac runs a privileged Docker daemon"]],
    [{ mode: "kubernetes-novolume" }, ["iac's job hooks may read every Secret"]],
  ] as const)("warns of what %j costs, at itself", async (about, warnings) => {
    const { warn, set } = await scaleSet(about);
    expect(warn.mock.calls).toEqual(warnings.map((warning) => [expect.stringContaining(warning) as string, set]));
  });
});
