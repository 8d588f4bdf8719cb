import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it } from "vitest";
import { ReleaseWatcher, type ReleaseWatcherArgs } from "../../../components/release-watcher.ts";
import type { NetworkPolicy } from "../../../runners/namespace/network-policy.ts";
import { reaches } from "../../support/network-reach.ts";
import { recordResources, settled, valueOf, type RecordedResource } from "../../support/mocks.ts";

const IMAGE = `ghcr.io/acme/infra/release-watcher@sha256:${"a".repeat(64)}`;
const ARGS: ReleaseWatcherArgs = {
  namespace: "watcher",
  image: IMAGE,
  schedule: "37 * * * *",
  repository: "acme/infra",
  credentials: { kind: "existing", secretName: "release-app" },
  policy: "floor: 3.250.0\n",
  preproduction: "public.ecr.aws/acme-dev",
  production: "public.ecr.aws/acme",
  network: { ssh: false, clusterNetworks: [], apiServer: [], services: {} },
};

async function made(changes: Partial<ReleaseWatcherArgs> = {}): Promise<readonly RecordedResource[]> {
  const resources = await recordResources();
  const watcher = new ReleaseWatcher("watcher", { ...ARGS, ...changes });
  expect(await valueOf(watcher.cronJobName)).toBe("release-watcher");
  await settled();
  return resources;
}

/** By their names. */
function policiesIn(resources: readonly RecordedResource[]): readonly NetworkPolicy[] {
  return resources
    .filter(({ type }) => type === "kubernetes:networking.k8s.io/v1:NetworkPolicy")
    .map(({ inputs }) => {
      const { metadata, spec } = inputs as {
        metadata: { name: string; namespace: string };
        spec: NetworkPolicy["spec"];
      };
      expect(metadata.namespace).toBe("watcher");
      return { name: metadata.name, spec };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function inputsOf(resources: readonly RecordedResource[], kind: string) {
  return resources.find(({ type }) => type.endsWith(`:${kind}`))?.inputs;
}

beforeEach(() => {
  pulumi.runtime.setAllConfig({ "kiln:releaseAppKey": "hidden-key" }, ["kiln:releaseAppKey"]);
});

describe("the release watcher on a cluster", () => {
  it("is a namespace of restricted pods, the policy as a file, and a job that never runs beside itself", async () => {
    const resources = await made();
    expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "kiln:release:ReleaseWatcher watcher",
      "kubernetes:batch/v1:CronJob watcher",
      "kubernetes:core/v1:ConfigMap watcher-policy",
      "kubernetes:core/v1:Namespace watcher",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy watcher-allow-dns",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy watcher-allow-internet",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy watcher-default-deny",
    ]);
    expect(inputsOf(resources, "Namespace")).toMatchObject({
      metadata: { name: "watcher", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
    expect(inputsOf(resources, "ConfigMap")).toMatchObject({ data: { "watch.yaml": "floor: 3.250.0\n" } });
    expect(inputsOf(resources, "CronJob")).toMatchObject({
      spec: {
        schedule: "37 * * * *",
        concurrencyPolicy: "Forbid",
        jobTemplate: { spec: { backoffLimit: 0, activeDeadlineSeconds: 600 } },
      },
    });
  });

  it("has a pod of the level restricted, with limits, by digest, and a key that is a file of a named Secret", async () => {
    const { spec } = inputsOf(await made(), "CronJob") as {
      spec: { jobTemplate: { spec: { template: { spec: Record<string, unknown> } } } };
    };
    const pod = spec.jobTemplate.spec.template.spec;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      restartPolicy: "Never",
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          image: IMAGE,
          args: [
            ...["watch", "--once", "--via", "api", "--config", "/etc/kiln/watch.yaml"],
            ...["--registry", "preproduction=public.ecr.aws/acme-dev", "--registry", "production=public.ecr.aws/acme"],
          ],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          resources: { limits: { memory: "512Mi" } },
        },
      ],
    });
    expect(pod.volumes).toContainEqual({
      name: "github",
      secret: {
        secretName: "release-app",
        defaultMode: 0o440,
        items: [{ key: "github_app_private_key", path: "key.pem" }],
      },
    });
    const [{ env }] = pod.containers as [{ env: readonly { name: string; value?: string }[] }];
    expect(env.filter(({ value }) => value === undefined).map(({ name }) => name)).toEqual([
      ...["KILN_APP_ID", "KILN_APP_INSTALLATION_ID"],
    ]);
  });

  it("lets nothing in, and out to DNS and port 443 of the internet alone", async () => {
    const policies = policiesIn(await made());
    expect(policies.map(({ name }) => name)).toEqual(["allow-dns", "allow-internet", "default-deny"]);
    expect(policies[2]?.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    expect(policies.flatMap(({ spec }) => spec.ingress ?? [])).toEqual([]);
    expect(policies[0]?.spec.egress?.map(({ ports }) => ports)).toEqual([
      [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ],
    ]);
    expect([443, 80, 22, 6443].filter((port) => reaches(policies, "140.82.112.3", port))).toEqual([443]);
    expect(["10.0.0.1", "169.254.169.254", "fd12::1"].filter((address) => reaches(policies, address, 443))).toEqual([]);
  });

  it("lets out to what its stack names beside that, and refuses a metadata address before anything is made", async () => {
    const networks = (block: string) => ({ ...ARGS.network, networks: { mirror: { blocks: [block], ports: [8443] } } });
    const policies = policiesIn(await made({ network: networks("10.1.2.0/24") }));
    expect(policies.map(({ name }) => name)).toContain("allow-network-mirror");
    expect([8443, 443].map((port) => reaches(policies, "10.1.2.3", port))).toEqual([true, false]);
    const resources = await recordResources();
    const refused = () => new ReleaseWatcher("watcher", { ...ARGS, network: networks("169.254.169.254/32") });
    expect(refused).toThrow(/watcher\.network\.networks\.mirror is 169\.254\.169\.254\/32/);
    expect(resources).toEqual([]);
  });

  it("makes the Secret of an App whose key stands in the configuration, marked as one", async () => {
    const credentials = {
      ...({ kind: "app", appId: "12" } as const),
      ...{ installationId: "34", privateKeyConfig: "kiln:releaseAppKey" },
    };
    const resources = await made({ credentials });
    const secret = resources.find(({ type }) => type === "kubernetes:core/v1:Secret");
    expect(secret?.secrets).toEqual(["stringData"]);
    expect(secret?.inputs.stringData).toEqual({
      github_app_id: "12",
      github_app_installation_id: "34",
      github_app_private_key: "hidden-key",
    });
    const others = resources.filter((resource) => resource !== secret);
    expect(JSON.stringify(others)).not.toContain("hidden-key");
    expect(JSON.stringify(inputsOf(resources, "CronJob"))).toContain('"secretName":"github-credentials"');
  });

  it("refuses an image by tag, before anything is made", async () => {
    const resources = await recordResources();
    expect(() => new ReleaseWatcher("watcher", { ...ARGS, image: "ghcr.io/acme/watcher:latest" })).toThrow(
      /no image by digest/,
    );
    expect(resources).toEqual([]);
  });
});
