import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { clusterProvider } from "../../../components/cluster-provider.ts";
import { RunnerTenant } from "../../../components/runner-tenant.ts";
import { recordResources, settled, valueOf } from "../../support/mocks.ts";
import { recordRegistrations } from "../../support/registrations.ts";
import { plansOf, runnersOf, SECRETS, tenantOf, type Raw } from "../../support/runner-settings.ts";

const IMAGE = `localhost:5180/actions-runner@sha256:${"a".repeat(64)}`;
const TENANT = "kiln:runner:RunnerTenant";
const CORE = "kubernetes:core/v1";
const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const CLAIM = `${CORE}:PersistentVolumeClaim`;
const CRON_JOB = "kubernetes:batch/v1:CronJob";
const DAEMON_SET = "kubernetes:apps/v1:DaemonSet";

const VAULT = {
  ...{ secret: "github-app", url: "https://acme.vault.azure.net" },
  ...{ tenantId: "t", clientId: "c", certificatePath: "/certificate" },
};

type PulledBy = Readonly<Partial<Record<"initContainers" | "containers", readonly { readonly image: string }[]>>>;

/** Tenant `a` with these settings, and all that was registered for it. */
async function tenant(about: Raw) {
  pulumi.runtime.setAllConfig({ "kiln:appKey": SECRETS.appKey, "kiln:token": SECRETS.token }, [
    "kiln:appKey",
    "kiln:token",
  ]);
  const resources = await recordResources();
  const registrations = recordRegistrations();
  const runners = runnersOf({ a: tenantOf(about) });
  const { a: settings } = runners.tenants;
  const { a: plan } = plansOf(runners);
  if (settings === undefined || plan === undefined) throw new Error("nothing was planned");
  const adoptWith = clusterProvider("adopting", { context: undefined, adopts: true });
  const made = new RunnerTenant("runners-a", { tenant: settings, plan, image: IMAGE, adoptWith });
  await settled();
  const named = ({ type, name }: { readonly type: string; readonly name: string }) => `${type} ${name}`;
  return {
    made,
    resources,
    registrations,
    names: resources
      .map(named)
      .filter((name) => !name.startsWith("pulumi:"))
      .toSorted(),
    registrationOf: (resource: string) => registrations.find((registration) => named(registration) === resource),
    inputsOf: (resource: string) => resources.find((recorded) => named(recorded) === resource)?.inputs,
  };
}

/** What every namespace of runners has; its policies are named beside. */
function namespaceOf(name: string, policies: readonly string[] = []): readonly string[] {
  return [
    `${DAEMON_SET} ${name}-images`,
    `kiln:runner:ImagePrePull ${name}-images`,
    `kiln:runner:RunnerNamespace ${name}`,
    `${CORE}:LimitRange ${name}-limits`,
    `${CORE}:Namespace ${name}`,
    `${CORE}:Secret ${name}-github`,
    ...["default-deny", "allow-dns", "allow-internet", ...policies].map((policy) => `${POLICY} ${name}-${policy}`),
  ];
}

const LANES = { mode: "lane", lanes: 2, size: "50Gi" };
const BAKE = { maxRunners: 2, cache: true };
const IMAGES = { mode: "dind", maxRunners: 1 };

describe("a tenant", () => {
  it("is a namespace with walls, and the image at hand on its nodes", async () => {
    const { names } = await tenant({});
    expect(names).toEqual([`${TENANT} runners-a`, ...namespaceOf("runners-a-trusted")].toSorted());
  });

  it("with lanes and a Docker daemon is a namespace each, the volumes where the lanes are", async () => {
    const { names } = await tenant({ trusted: { cache: LANES, sets: { bake: BAKE, image: IMAGES } } });
    expect(names).toEqual(
      [
        `${TENANT} runners-a`,
        ...namespaceOf("runners-a-trusted"),
        "kiln:runner:CacheVolumes runners-a-trusted-cache",
        ...["lane-0", "lane-1"].flatMap((lane) => [
          `${CLAIM} runners-a-trusted-cache-${lane}`,
          `${CRON_JOB} runners-a-trusted-cache-${lane}-gc`,
        ]),
        ...namespaceOf("runners-a-trusted-dind"),
      ].toSorted(),
    );
  });

  it("has no Secret where one is named, and walls as its zones and its proxy want them", async () => {
    const { names } = await tenant({
      credentials: { vault: VAULT },
      proxy: { https: { url: "http://10.1.2.3:3128" } },
      untrusted: {
        network: { apiServer: ["10.0.0.1/32"] },
        sets: { pods: { mode: "kubernetes-novolume", maxRunners: 1 } },
      },
    });
    const both = [
      ...namespaceOf("runners-a-trusted", ["allow-proxy"]),
      ...namespaceOf("runners-a-untrusted-kubernetes", ["allow-api-server", "allow-proxy"]),
    ].filter((name) => !name.startsWith(`${CORE}:Secret`));
    expect(names).toEqual([`${TENANT} runners-a`, ...both].toSorted());
  });

  it("gives each namespace the pod security that its runners need", async () => {
    const { inputsOf } = await tenant({ trusted: { sets: { bake: { maxRunners: 1 }, image: IMAGES } } });
    const levelOf = (name: string) => {
      const { metadata } = (inputsOf(`${CORE}:Namespace ${name}`) ?? {}) as { metadata?: { labels?: Raw } };
      return metadata?.labels?.["pod-security.kubernetes.io/enforce"];
    };
    expect([levelOf("runners-a-trusted"), levelOf("runners-a-trusted-dind")]).toEqual(["restricted", "privileged"]);
  });

  it("has the image pulled where its runners may be, with the Secrets that pull it", async () => {
    const set = { maxRunners: 1, nodeSelector: { pool: "ci" }, tolerations: [{ key: "ci" }], spot: true };
    const { inputsOf } = await tenant({ imagePullSecrets: ["pull"], trusted: { sets: { bake: set } } });
    expect(inputsOf(`${DAEMON_SET} runners-a-trusted-images`)).toMatchObject({
      metadata: { name: "runner-image", namespace: "runners-dev-a-trusted" },
      spec: {
        template: {
          spec: {
            nodeSelector: { "kubernetes.io/arch": "amd64", pool: "ci" },
            tolerations: [
              { key: "ci", operator: "Exists" },
              { key: "cloud.google.com/gke-spot" },
              { key: "kubernetes.azure.com/scalesetpriority" },
              { key: "karpenter.sh/capacity-type" },
            ],
            imagePullSecrets: [{ name: "pull" }],
            containers: [{ image: IMAGE }],
          },
        },
      },
    });
  });

  it("has the Docker daemons of its sets pulled too, where they are", async () => {
    const docker = `docker.io/library/docker@sha256:${"d".repeat(64)}`;
    const sets = { bake: { maxRunners: 1 }, image: IMAGES, other: { ...IMAGES, dockerImage: docker } };
    const { inputsOf } = await tenant({ trusted: { sets } });
    const imagesOn = (name: string) => {
      const { spec } = (inputsOf(`${DAEMON_SET} ${name}-images`) ?? {}) as { spec?: { template: { spec: PulledBy } } };
      const { initContainers = [], containers = [] } = spec?.template.spec ?? {};
      return [...new Set([...initContainers, ...containers].map(({ image }) => image))].toSorted();
    };
    expect(imagesOn("runners-a-trusted")).toEqual([IMAGE]);
    expect(imagesOn("runners-a-trusted-dind")).toEqual([docker, "docker:dind", IMAGE].toSorted());
  });

  it("holds no secret in what it is given", async () => {
    const { resources } = await tenant({});
    const plain = resources.map(({ inputs, secrets }) =>
      Object.entries(inputs).filter(([key]) => !secrets.includes(key)),
    );
    expect(JSON.stringify(plain)).not.toContain(JSON.stringify(SECRETS.appKey).slice(40, 80));
    const secret = resources.find(({ type }) => type === `${CORE}:Secret`);
    expect(secret?.secrets).toEqual(["stringData"]);
  });
});

describe("a buildkitd", () => {
  const NAME = "runners-a-trusted-buildkit";
  const buildkit = { size: "20Gi", storageClass: "fast" };

  it("stands beside runners without Docker, in a namespace that they may reach", async () => {
    const { names, made, inputsOf } = await tenant({ trusted: { buildkit, sets: { bake: { maxRunners: 1 } } } });
    expect(names).toEqual(
      [
        `${TENANT} runners-a`,
        ...namespaceOf("runners-a-trusted", ["allow-service-buildkitd"]),
        `kiln:runner:BuildKit ${NAME}`,
        `kubernetes:apps/v1:StatefulSet ${NAME}`,
        `${CORE}:ConfigMap ${NAME}-config`,
        `${CORE}:Namespace ${NAME}`,
        `${CLAIM} ${NAME}-state`,
        `${CORE}:Service ${NAME}`,
        ...["default-deny", "allow-dns", "allow-internet", "allow-clients"].map(
          (policy) => `${POLICY} ${NAME}-${policy}`,
        ),
      ].toSorted(),
    );
    expect(inputsOf(`${CORE}:Namespace ${NAME}`)).toMatchObject({
      metadata: { name: "runners-dev-a-trusted-buildkit" },
    });
    expect(inputsOf(`${POLICY} ${NAME}-allow-clients`)).toMatchObject({
      spec: {
        ingress: [
          {
            from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "runners-dev-a-trusted" } } }],
          },
        ],
      },
    });
    expect(inputsOf(`${POLICY} runners-a-trusted-allow-service-buildkitd`)).toMatchObject({
      spec: {
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "runners-dev-a-trusted-buildkit" } },
              },
            ],
          },
        ],
      },
    });
    expect(made.namespaces.map(({ buildkit: own }) => own !== undefined)).toEqual([true]);
  });

  it("is none of runners that have Docker, or that hooks give pods", async () => {
    const sets = { image: IMAGES, bake: { maxRunners: 1 }, pods: { mode: "kubernetes-novolume", maxRunners: 1 } };
    const { names, made } = await tenant({
      trusted: { buildkit, sets, network: { apiServer: ["10.0.0.1/32"] } },
      untrusted: { sets: { check: { maxRunners: 1 } } },
    });
    expect(names.filter((name) => name.startsWith("kiln:runner:BuildKit"))).toEqual([`kiln:runner:BuildKit ${NAME}`]);
    const having = made.namespaces.map(({ plan, buildkit: own }) => [plan.key, own !== undefined]);
    expect(having).toEqual([
      ["trusted-dind", false],
      ["trusted", true],
      ["trusted-kubernetes", false],
      ["untrusted", false],
    ]);
    expect(names.filter((name) => name.endsWith("allow-service-buildkitd"))).toEqual([
      `${POLICY} runners-a-trusted-allow-service-buildkitd`,
    ]);
  });
});

describe("order and lifetime", () => {
  const CACHED = { trusted: { cache: { ...LANES, retention: "retain", protect: true }, sets: { bake: BAKE } } };

  it("has all of its children as its own", async () => {
    const { registrationOf } = await tenant(CACHED);
    for (const child of [
      "kiln:runner:RunnerNamespace runners-a-trusted",
      "kiln:runner:CacheVolumes runners-a-trusted-cache",
      "kiln:runner:ImagePrePull runners-a-trusted-images",
    ]) {
      expect(registrationOf(child)?.parent).toBe(`${TENANT} runners-a`);
    }
  });

  it.each([`${CLAIM} runners-a-trusted-cache-lane-0`, `${DAEMON_SET} runners-a-trusted-images`])(
    "makes no %s before the walls stand",
    async (resource) => {
      const { registrationOf } = await tenant(CACHED);
      expect(registrationOf(resource)?.dependsOn).toEqual(
        expect.arrayContaining([
          `${CORE}:Namespace runners-a-trusted`,
          `${CORE}:LimitRange runners-a-trusted-limits`,
          `${POLICY} runners-a-trusted-default-deny`,
          `${POLICY} runners-a-trusted-allow-dns`,
          `${POLICY} runners-a-trusted-allow-internet`,
        ]),
      );
    },
  );

  it.each(["retain", "delete"])("leaves a namespace behind with the volumes in it: %s", async (retention) => {
    const sets = { bake: BAKE, image: IMAGES };
    const { registrationOf } = await tenant({ trusted: { cache: { ...LANES, retention }, sets } });
    const kept = ["runners-a-trusted", "runners-a-trusted-dind"].map(
      (name) => registrationOf(`${CORE}:Namespace ${name}`)?.retainOnDelete,
    );
    expect(kept).toEqual([retention === "retain", false]);
    expect(registrationOf(`${CLAIM} runners-a-trusted-cache-lane-0`)?.retainOnDelete).toBe(retention === "retain");
  });

  it("takes over what it left behind, and nothing else", async () => {
    const sets = { bake: BAKE, image: IMAGES };
    const adopted = async (retention: string) => {
      const { registrations } = await tenant({ trusted: { cache: { ...LANES, retention }, sets } });
      return registrations.filter(({ provider }) => provider === "adopting").map(({ type, name }) => `${type} ${name}`);
    };
    expect((await adopted("retain")).toSorted()).toEqual([
      `${CORE}:Namespace runners-a-trusted`,
      `${CLAIM} runners-a-trusted-cache-lane-0`,
      `${CLAIM} runners-a-trusted-cache-lane-1`,
    ]);
    expect(await adopted("delete")).toEqual([]);
  });

  it("has a scale set wait for the namespace and its volumes, in each namespace for its own", async () => {
    const { made } = await tenant({ trusted: { cache: LANES, sets: { bake: BAKE, image: IMAGES } } });
    const before = await Promise.all(
      made.namespaces.map(({ before: own }) => Promise.all(own.map(({ urn }) => valueOf(urn)))),
    );
    expect(before.map((urns) => urns.map((urn) => urn.split("::").at(-1)))).toEqual([
      ["runners-a-trusted", "runners-a-trusted-cache"],
      ["runners-a-trusted-dind"],
    ]);
  });
});
