import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import type { RunnerFreshnessArgs } from "../../../components/runner-freshness.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

const IMAGE = `localhost:5180/kiln/actions-runner@sha256:${"d".repeat(64)}`;

async function freshness(args: Partial<RunnerFreshnessArgs> = {}) {
  const resources = await recordResources();
  const { RunnerFreshness } = await import("../../../components/runner-freshness.ts");
  const component = new RunnerFreshness("freshness", {
    namespace: pulumi.output("runners"),
    image: pulumi.output(IMAGE),
    secretName: pulumi.output("github"),
    repositoryUrl: "https://github.com/acme/infra",
    workflow: "rebuild.yml",
    ...args,
  });
  const name = await valueOf(component.cronJobName);
  const job = resources.find(({ type }) => type === "kubernetes:batch/v1:CronJob");
  return { resources, name, inputs: job?.inputs ?? {} };
}

it("is one CronJob in the runners' namespace", async () => {
  const { resources, name, inputs } = await freshness();
  expect(resources.map((resource) => `${resource.type} ${resource.name}`).sort()).toEqual([
    "kiln:runner:RunnerFreshness freshness",
    "kubernetes:batch/v1:CronJob freshness",
  ]);
  expect(name).toBe("runner-freshness");
  expect(inputs).toMatchObject({
    metadata: { name: "runner-freshness", namespace: "runners" },
    spec: {
      schedule: "23 5 * * *",
      concurrencyPolicy: "Forbid",
      jobTemplate: { spec: { backoffLimit: 0, ttlSecondsAfterFinished: 90_000 } },
    },
  });
});

it("runs in a restricted pod of the runners' image, with the Secret as files and without an account", async () => {
  const { inputs } = await freshness();
  const pod = (inputs as { spec: { jobTemplate: { spec: { template: { spec: Record<string, unknown> } } } } }).spec
    .jobTemplate.spec.template.spec;
  expect(pod).toMatchObject({
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1001, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        image: IMAGE,
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          readOnlyRootFilesystem: true,
        },
        volumeMounts: [{ name: "github", mountPath: "/var/run/kiln/github", readOnly: true }],
      },
    ],
    volumes: [{ name: "github", secret: { secretName: "github", defaultMode: 0o440 } }],
  });
});

it("refuses before it makes anything, and names the key", async () => {
  await expect(freshness({ workflow: "rebuild", at: "kiln:freshness" })).rejects.toThrow("kiln:freshness.workflow is");
});
