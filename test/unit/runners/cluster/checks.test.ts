import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { checkCluster, clusterReport, provisionerOf } from "../../../../runners/cluster/checks.ts";
import type { ClusterFacts, ClusterWanted, Permission, WantedObject } from "../../../../runners/cluster/wanted.ts";

const WANTED: ClusterWanted = { storageClasses: [], resourceTypes: [], objects: [], permissions: [] };
const FACTS: ClusterFacts = {
  server: "https://cluster.example",
  user: "ci",
  storageClasses: {
    kind: "found",
    fact: [
      { name: "standard", provisioner: "ebs.csi.aws.com", volumeBindingMode: "WaitForFirstConsumer", isDefault: true },
      { name: "shared", provisioner: "efs.csi.aws.com", volumeBindingMode: "Immediate", isDefault: false },
    ],
  },
  served: { "monitoring.coreos.com/v1": ["podmonitors"], "snapshot.storage.k8s.io/v1": ["volumesnapshots"] },
  controllers: { kind: "found", fact: [{ name: "arc", version: "0.14.2" }] },
  objects: {},
  denied: [],
};

function problemsOf(wanted: Partial<ClusterWanted>, facts: Partial<ClusterFacts> = {}): readonly string[] {
  const { problems } = checkCluster({ ...WANTED, ...wanted }, { ...FACTS, ...facts });
  return problems.map(({ at, problem, mend }) => `${at} ${problem}. ${mend}`);
}

describe("storage classes", () => {
  const at = "kiln:tenants.acme.trusted.cache.storageClass";
  const wants = (name: string | undefined) => ({ storageClasses: [{ at, name }] });

  it.each(["standard", "shared", undefined])("finds %s", (name) => {
    expect(problemsOf(wants(name))).toEqual([]);
  });

  it("names those that there are where one is unknown", () => {
    expect(problemsOf(wants("fast"))).toEqual([
      `${at} is "fast", which is no storage class of the cluster. Set it to one of shared, standard`,
    ]);
  });

  it("says that there is no default, or none at all", () => {
    const [, shared] = FACTS.storageClasses.kind === "found" ? FACTS.storageClasses.fact : [];
    const only = shared === undefined ? [] : [shared];
    expect(problemsOf(wants(undefined), { storageClasses: { kind: "found", fact: only } })).toEqual([
      `${at} is not set, and the cluster has no default storage class. Set it to one of shared`,
    ]);
    expect(problemsOf(wants("fast"), { storageClasses: { kind: "found", fact: [] } })[0]).toContain(
      "Install a storage driver",
    );
  });

  it("tell the rules of caches what is behind them", () => {
    expect(provisionerOf(FACTS, "shared")).toBe("efs.csi.aws.com");
    expect(provisionerOf(FACTS, undefined)).toBe("ebs.csi.aws.com");
    expect(provisionerOf(FACTS, "fast")).toBeUndefined();
    expect(provisionerOf({ ...FACTS, storageClasses: { kind: "absent" } }, "shared")).toBeUndefined();
  });
});

it.each([
  ["monitoring.coreos.com", "podmonitors", []],
  ["monitoring.coreos.com", "prometheusrules", ["needs prometheusrules.monitoring.coreos.com, which"]],
  ["actions.github.com", "autoscalingrunnersets", ["needs the API group actions.github.com/v1, which"]],
])("looks for %s %s", (group, resource, expected) => {
  const type = { at: "kiln:cluster", group, version: "v1", resource, broughtBy: "its operator" };
  const problems = problemsOf({ resourceTypes: [type] });
  expect(problems).toEqual(expected.map((text) => expect.stringContaining(text) as string));
});

describe("the controller of another stack", () => {
  const controller = { at: "kiln:controller", namespace: "arc-systems", version: "0.14.2" };
  const found = (version: string | undefined) => ({
    controllers: { kind: "found", fact: [{ name: "arc", version }] } as const,
  });

  it.each(["0.14.2", "0.14.0", "v0.14.3"])("may be %s", (version) => {
    expect(problemsOf({ controller }, found(version))).toEqual([]);
  });

  it.each(["0.13.1", "0.15.0", "1.14.2", undefined])("must not be %s, which would delete the scale sets", (version) => {
    expect(problemsOf({ controller }, found(version))).toEqual([expect.stringContaining("deletes the scale sets")]);
  });

  it("must be there", () => {
    expect(problemsOf({ controller }, { controllers: { kind: "found", fact: [] } })).toEqual([
      expect.stringContaining("where no actions-runner-controller runs"),
    ]);
  });
});

describe("objects", () => {
  const secret: WantedObject = {
    at: "kiln:tenants.acme.credentials.secret",
    kind: "Secret",
    name: "app",
    namespace: "runners",
    keys: [["github_token"], ["github_app_id", "github_app_private_key"]],
  };
  const key = "Secret runners/app";
  const space = { "Namespace runners": { kind: "found", fact: { keys: [] } } } as const;
  const withKeys = (...keys: string[]) => ({
    objects: { ...space, [key]: { kind: "found", fact: { keys } } as const },
  });

  it("says of a node that is not ready what waits for it, and stops nothing else", () => {
    const node: WantedObject = { at: "kiln:tenants.acme.trusted.cache.node", kind: "Node", name: "big" };
    const objects = { "Node big": { kind: "found", fact: { keys: [], problem: "is cordoned" } } as const };
    expect(checkCluster({ ...WANTED, objects: [node] }, { ...FACTS, objects })).toEqual({
      problems: [],
      notes: [
        "the Node big is cordoned: what kiln:tenants.acme.trusted.cache.node pins to it waits until that is over",
      ],
    });
  });

  it.each([["github_token"], ["github_app_id", "github_app_private_key", "more"]])(
    "takes a Secret with %j",
    (...keys) => {
      expect(problemsOf({ objects: [secret] }, withKeys(...keys))).toEqual([]);
    },
  );

  it("names the keys that a Secret has and those that it needs", () => {
    expect(problemsOf({ objects: [secret] }, withKeys("github_app_id", "key.pem"))).toEqual([
      "kiln:tenants.acme.credentials.secret names the Secret app in runners, which has the keys github_app_id, key.pem. " +
        "Give it github_token; or github_app_id, github_app_private_key",
    ]);
    expect(problemsOf({ objects: [secret] }, withKeys())[0]).toContain("which is empty");
  });

  it("says what is wrong with one that is there", () => {
    const fact = { keys: ["github_token"], problem: "has a github_app_private_key that is empty" };
    expect(problemsOf({ objects: [secret] }, { objects: { ...space, [key]: { kind: "found", fact } } })[0]).toContain(
      "which has a github_app_private_key that is empty",
    );
  });

  it("is a problem where a namespace is there without its Secret, and a note where the stack has yet to make it", () => {
    const absent = { [key]: { kind: "absent" } } as const;
    expect(problemsOf({ objects: [secret] }, { objects: { ...absent, ...space } })).toEqual([
      expect.stringContaining("which does not exist"),
    ]);
    const objects = { ...absent, "Namespace runners": { kind: "absent" } } as const;
    const { problems, notes } = checkCluster({ ...WANTED, objects: [secret] }, { ...FACTS, objects });
    expect(problems).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("after the first `pulumi up`, make the Secret app in runners")]);
  });

  it("leaves a snapshot out where the missing group is a problem already", () => {
    const snapshot: WantedObject = { at: "k", kind: "VolumeSnapshot", name: "gold", namespace: "runners" };
    const objects = { ...space, "VolumeSnapshot runners/gold": { kind: "absent" } } as const;
    expect(problemsOf({ objects: [snapshot] }, { objects })).toHaveLength(1);
    expect(problemsOf({ objects: [snapshot] }, { objects, served: {} })).toEqual([]);
  });
});

it("names what RBAC forbids, once a place", () => {
  const denied: Permission[] = ["roles", "rolebindings"].flatMap((resource) =>
    ["create", "delete"].map((verb) => ({ verb, group: "rbac.authorization.k8s.io", resource, namespace: "runners" })),
  );
  expect(problemsOf({}, { denied: [...denied, { verb: "create", group: "", resource: "namespaces" }] })).toEqual([
    "the user ci is forbidden by RBAC to create, delete in the namespace runners: roles.rbac.authorization.k8s.io, " +
      "rolebindings.rbac.authorization.k8s.io. Ask the cluster's administrator for a Role in runners with these verbs and resources",
    "the user ci is forbidden by RBAC to create in the cluster: namespaces. " +
      "Ask the cluster's administrator for a ClusterRole with these verbs and resources",
  ]);
});

it("reports what may not be read as what it is", () => {
  const storageClasses = { kind: "forbidden", verb: "list", resource: "storageclasses.storage.k8s.io" } as const;
  expect(problemsOf({ storageClasses: [{ at: "kiln:x", name: "fast" }] }, { storageClasses })).toEqual([
    "kiln:x cannot be checked: RBAC forbids to list storageclasses.storage.k8s.io. " +
      "Ask the cluster's administrator for the verb list on storageclasses.storage.k8s.io",
  ]);
});

describe("the report", () => {
  const unreachable = { kind: "unreachable", reason: "https://cluster.example refuses connections" } as const;
  const facts = { kind: "facts", facts: FACTS } as const;
  const fast = { at: "kiln:a", name: "fast" };
  const report = (
    wanted: Partial<ClusterWanted>,
    reading: Parameters<typeof clusterReport>[1],
    mode: "required" | "ifReachable",
  ) => {
    try {
      return clusterReport({ ...WANTED, ...wanted }, reading, mode);
    } catch (error) {
      return error as KilnError;
    }
  };

  it("says in one line what was skipped where checks are not required", () => {
    expect(report({}, unreachable, "ifReachable")).toEqual([
      "skipped: the checks against the cluster, because https://cluster.example refuses connections",
    ]);
  });

  it("fails as unreachable where they are", () => {
    expect(report({}, unreachable, "required")).toMatchObject({
      kind: "unreachable",
      message: "the cluster cannot be checked, because https://cluster.example refuses connections",
    });
  });

  it.each(["required", "ifReachable"] as const)("fails for what a cluster lacks, also with %s", (mode) => {
    const mend = "Set it to one of shared, standard";
    expect(report({ storageClasses: [fast] }, facts, mode)).toMatchObject({ kind: "usage", mend });
    expect(report({ storageClasses: [fast, { ...fast, at: "kiln:b" }] }, facts, mode)).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/^https:\/\/cluster.example lacks.*\n- kiln:a is.*\n- kiln:b is/) as string,
    });
  });

  it("is empty where nothing is to be said", () => {
    expect(report({}, facts, "required")).toEqual([]);
  });
});
