import { readFile, writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { checkCluster, clusterReport } from "../../runners/cluster/checks.ts";
import { readClusterFacts } from "../../runners/cluster/facts.ts";
import type { ClusterFacts, ClusterWanted } from "../../runners/cluster/wanted.ts";
import { GITHUB_SECRET_KEYS } from "../../runners/namespace/credentials.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane.ts";

const NOTHING: ClusterWanted = { storageClasses: [], resourceTypes: [], objects: [], permissions: [] };

let plane: ControlPlane;

beforeAll(async () => {
  plane = await startControlPlane();
});

afterAll(async () => {
  await plane.stop();
});

beforeEach(() => {
  vi.stubEnv("KUBECONFIG", plane.kubeconfig);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

async function factsOf(wanted: ClusterWanted): Promise<ClusterFacts> {
  const reading = await readClusterFacts(wanted);
  if (reading.kind === "unreachable") throw new Error(reading.reason);
  return reading.facts;
}

async function problemsOf(wanted: Partial<ClusterWanted>): Promise<readonly string[]> {
  const all = { ...NOTHING, ...wanted };
  return checkCluster(all, await factsOf(all)).problems.map(({ at, problem }) => `${at} ${problem}`);
}

/** Makes an object as the administrator. */
async function make(path: string, object: Readonly<Record<string, unknown>>): Promise<void> {
  const { status, body } = await plane.request("POST", path, object);
  expect(status, JSON.stringify(body)).toBe(201);
}

async function makeNamespace(name: string): Promise<void> {
  await make("/api/v1/namespaces", { metadata: { name } });
}

describe("what a cluster has", () => {
  it("is found: storage classes with their provisioners, of which one is the default", async () => {
    const classes = "/apis/storage.k8s.io/v1/storageclasses";
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    await make(classes, { metadata: { name: "shared" }, provisioner: "efs.csi.aws.com" });
    await make(classes, {
      metadata: { name: "disk", annotations },
      provisioner: "ebs.csi.aws.com",
      volumeBindingMode: "WaitForFirstConsumer",
    });
    const storageClasses = ["disk", "shared", undefined, "fast"].map((name) => ({ at: "kiln:cache", name }));
    expect(await problemsOf({ storageClasses })).toEqual([
      'kiln:cache is "fast", which is no storage class of the cluster',
    ]);
    expect((await factsOf({ ...NOTHING, storageClasses })).storageClasses).toEqual({
      kind: "found",
      fact: [
        { name: "disk", provisioner: "ebs.csi.aws.com", volumeBindingMode: "WaitForFirstConsumer", isDefault: true },
        { name: "shared", provisioner: "efs.csi.aws.com", volumeBindingMode: "Immediate", isDefault: false },
      ],
    });
  });

  it("is found: resource types that the API serves, and those that it does not", async () => {
    const type = (group: string, version: string, resource: string) => ({
      at: "kiln:cluster",
      group,
      version,
      resource,
      broughtBy: "it",
    });
    const resourceTypes = [
      type("networking.k8s.io", "v1", "networkpolicies"),
      type("networking.k8s.io", "v1", "podmonitors"),
      type("actions.github.com", "v1alpha1", "autoscalingrunnersets"),
    ];
    expect(await problemsOf({ resourceTypes })).toEqual([
      "kiln:cluster needs podmonitors.networking.k8s.io, which the cluster does not have",
      "kiln:cluster needs the API group actions.github.com/v1alpha1, which the cluster does not have",
    ]);
  });

  it("is found: the controller of another stack, and its version", async () => {
    await makeNamespace("arc-systems");
    const controller = { at: "kiln:controller", namespace: "arc-systems", version: "0.14.2" };
    expect(await problemsOf({ controller })).toEqual([
      expect.stringContaining("where no actions-runner-controller runs"),
    ]);
    const labels = { "app.kubernetes.io/part-of": "gha-rs-controller", "app.kubernetes.io/version": "0.13.1" };
    await make("/apis/apps/v1/namespaces/arc-systems/deployments", {
      metadata: { name: "arc", labels },
      spec: {
        selector: { matchLabels: { app: "arc" } },
        template: { metadata: { labels: { app: "arc" } }, spec: { containers: [{ name: "manager", image: "arc" }] } },
      },
    });
    expect(await problemsOf({ controller })).toEqual([expect.stringContaining("but arc-systems/arc is 0.13.1")]);
    expect(await problemsOf({ controller: { ...controller, version: "0.13.0" } })).toEqual([]);
  });

  it("is found: objects that a stack names, and the keys of its Secrets", async () => {
    await makeNamespace("runners-existing");
    const secret = {
      at: "kiln:credentials.secret",
      kind: "Secret",
      name: "github-app",
      namespace: "runners-existing",
      keys: [GITHUB_SECRET_KEYS.app, GITHUB_SECRET_KEYS.token],
    } as const;
    const others = [
      { at: "kiln:priority", kind: "PriorityClass", name: "system-node-critical" },
      { at: "kiln:priority", kind: "PriorityClass", name: "urgent" },
      { at: "kiln:runtime", kind: "RuntimeClass", name: "kata" },
      { at: "kiln:node", kind: "Node", name: "big-1" },
    ] as const;
    expect(await problemsOf({ objects: [secret, ...others] })).toEqual([
      "kiln:credentials.secret names the Secret github-app in runners-existing, which does not exist",
      "kiln:priority names the PriorityClass urgent, which does not exist",
      "kiln:runtime names the RuntimeClass kata, which does not exist",
      "kiln:node names the Node big-1, which does not exist",
    ]);
    const metadata = { name: "github-app" };
    const secrets = "/api/v1/namespaces/runners-existing/secrets";
    await make(secrets, { metadata, stringData: { github_app_id: "1234", token: "ghp_x" } });
    expect(await problemsOf({ objects: [secret] })).toEqual([
      expect.stringContaining("which has the keys github_app_id, token"),
    ]);
    await plane.request("PATCH", `${secrets}/github-app`, { stringData: { github_token: "ghp_x" } }, MERGE);
    expect(await problemsOf({ objects: [secret] })).toEqual([]);
  });

  it("need not be there yet in a namespace that the stack will make", async () => {
    const objects = [{ at: "kiln:credentials", kind: "Secret", name: "app", namespace: "not-yet" }] as const;
    const wanted = { ...NOTHING, objects };
    expect(checkCluster(wanted, await factsOf(wanted))).toEqual({
      problems: [],
      notes: [expect.stringContaining("make the Secret app in not-yet")],
    });
  });
});

const MERGE = { contentType: "application/merge-patch+json" } as const;

describe("who may do little", () => {
  const namespace = "runners-rbac";
  const permissions = [
    { group: "", resource: "namespaces" },
    { group: "", resource: "configmaps", namespace },
    { group: "", resource: "limitranges", namespace },
    { group: "networking.k8s.io", resource: "networkpolicies", namespace },
  ].flatMap((resource) => ["get", "create", "patch", "delete"].map((verb) => ({ verb, ...resource })));

  it("is told each verb and resource that RBAC forbids, and no more once it is allowed", async () => {
    await makeNamespace("runners-rbac");
    expect(await problemsOf({ permissions })).toEqual([]);
    vi.stubEnv("KUBECONFIG", await plane.kubeconfigFor("stranger"));
    const [cluster, namespaced, ...others] = await problemsOf({ permissions });
    expect(cluster).toContain("to get, create, patch, delete in the cluster: namespaces");
    expect(namespaced).toContain("in the namespace runners-rbac: configmaps, limitranges,");
    expect(namespaced).toContain("networkpolicies.networking.k8s.io");
    expect(others).toEqual([]);

    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/runners-rbac";
    const rules = [{ apiGroups: ["*"], resources: ["*"], verbs: ["get", "create", "patch"] }];
    await make(`${rbac}/roles`, { metadata: { name: "kiln" }, rules });
    await make(`${rbac}/rolebindings`, {
      metadata: { name: "kiln" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "kiln" },
      subjects: [{ kind: "User", name: "stranger", apiGroup: "rbac.authorization.k8s.io" }],
    });
    const deletes = () => problemsOf({ permissions }).then(([, second]) => second);
    await vi.waitFor(async () => {
      expect(await deletes()).toContain("to delete in the namespace runners-rbac: configmaps,");
    });
  });

  it("is told what cannot be checked", async () => {
    vi.stubEnv("KUBECONFIG", await plane.kubeconfigFor("stranger"));
    const storageClasses = [{ at: "kiln:cache", name: "disk" }];
    const objects = [{ at: "kiln:credentials", kind: "Secret", name: "app", namespace: "default" }] as const;
    expect(await problemsOf({ storageClasses, objects })).toEqual([
      "kiln:cache cannot be checked: RBAC forbids to list storageclasses.storage.k8s.io",
      "kiln:credentials cannot be checked: RBAC forbids to get secrets in default",
    ]);
  });
});

it("is out of reach where another certificate answers", async () => {
  const file = `${plane.directory}/other.kubeconfig`;
  const config = JSON.parse(await readFile(plane.kubeconfig, "utf8")) as { clusters: { cluster: object }[] };
  const clusters = config.clusters.map((entry) => ({ ...entry, cluster: { server: plane.address } }));
  await writeFile(file, JSON.stringify({ ...config, clusters }));
  vi.stubEnv("KUBECONFIG", file);
  const reading = await readClusterFacts(NOTHING);
  expect(reading).toEqual({
    kind: "unreachable",
    reason: `${plane.address} has a certificate that the kubeconfig does not trust`,
  });
  expect(clusterReport(NOTHING, reading, "ifReachable")).toHaveLength(1);
  expect(() => clusterReport(NOTHING, reading, "required")).toThrow("the cluster cannot be checked");
});
