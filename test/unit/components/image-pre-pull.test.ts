import { expect, it } from "vitest";
import type { ImagePrePullArgs } from "../../../components/image-pre-pull.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

const IMAGE = `ghcr.io/acme/infra/actions-runner@sha256:${"a".repeat(64)}`;
const DAEMON_SET = "kubernetes:apps/v1:DaemonSet";

async function prePull(args: Partial<ImagePrePullArgs> = {}) {
  const resources = await recordResources();
  const { ImagePrePull } = await import("../../../components/image-pre-pull.ts");
  const { runtime } = await import("@pulumi/pulumi");
  const made = new ImagePrePull("pre-pull", {
    namespace: "runners",
    daemonSetName: "runner-images",
    image: IMAGE,
    ...args,
  });
  await valueOf(made.urn);
  await runtime.disconnect();
  return resources;
}

it("is one DaemonSet that is not waited for", async () => {
  const resources = await prePull();
  expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
    "kiln:runner:ImagePrePull pre-pull",
    `${DAEMON_SET} pre-pull`,
  ]);
  expect(resources.find(({ type }) => type === DAEMON_SET)?.inputs.metadata).toMatchObject({
    name: "runner-images",
    namespace: "runners",
    annotations: { "pulumi.com/skipAwait": "true" },
  });
});

it("pulls each image once, on the nodes of the runners, and keeps the runner's by a container that sleeps", async () => {
  const [, set] = (
    await prePull({
      moreImages: { dind: "docker.io/library/docker:dind" },
      nodeSelector: { pool: "runners" },
      tolerations: [{ key: "runners", operator: "Exists" }],
      imagePullSecrets: ["registry"],
    })
  ).toSorted((a) => (a.type === DAEMON_SET ? 1 : -1));
  const tiny = {
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    resources: { requests: { cpu: "1m", memory: "8Mi" }, limits: { memory: "32Mi" } },
  };
  expect(set?.inputs.spec).toMatchObject({
    selector: { matchLabels: { "app.kubernetes.io/name": "runner-images" } },
    template: {
      metadata: { labels: { "app.kubernetes.io/name": "runner-images" } },
      spec: {
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1001, seccompProfile: { type: "RuntimeDefault" } },
        nodeSelector: { pool: "runners" },
        tolerations: [{ key: "runners", operator: "Exists" }],
        imagePullSecrets: [{ name: "registry" }],
        initContainers: [
          { name: "pull-runner", image: IMAGE, command: ["true"], ...tiny },
          { name: "pull-dind", image: "docker.io/library/docker:dind", command: ["true"], ...tiny },
        ],
        containers: [{ name: "keep", image: IMAGE, command: ["sleep", "infinity"], ...tiny }],
      },
    },
  });
});
