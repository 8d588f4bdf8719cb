import { generateKeyPairSync } from "node:crypto";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { BackgroundLoop } from "../support/background-loop.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane.ts";
import { EngineProject } from "../support/engine-project.ts";
import { items } from "../support/listed-object.ts";
import { PROVISIONER, startNodeStandIn } from "../support/node-stand-in.ts";
import { startRunnerController, type RunnerController } from "../support/runner-controller-stand-in.ts";
import { MONITORING_CRDS, permissive, writeTestCrds } from "../support/test-crds.ts";
import { isExtended } from "../support/extended.ts";

const STACK = "test-runners";
const FILE = `stacks/Pulumi.${STACK}.yaml`;
const DIGEST = `sha256:${"a".repeat(64)}`;
const { privateKey: KEY } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

/** A stack that uses all of it: both zones, lanes, a Docker daemon, job hooks, a buildkitd, metrics and the GitHub side. */
function settings() {
  return {
    cluster: { checks: "required", monitoring: "prometheus-operator" },
    controller: { crds: "crds", replicas: 2 },
    actionsRunner: { image: `localhost:5180/actions-runner@${DIGEST}` },
    tenants: {
      platform: {
        url: "https://github.com/acme",
        credentials: { app: { id: 12, installationId: 34, privateKeyConfig: "kiln:appKey" } },
        rebuild: { repositoryUrl: "https://github.com/acme/infra", workflow: "runner-image.yml" },
        trusted: {
          workflow: "acme/infra/.github/workflows/iac-runner-image.yml@refs/heads/main",
          cache: { mode: "lane", lanes: 2, size: "50Gi", storageClass: "block" },
          sets: {
            bake: { maxRunners: 2, cache: true, requests: { cpu: 2, memory: "4Gi" } },
            assemble: { mode: "dind", maxRunners: 1 },
            pods: { mode: "kubernetes-novolume", maxRunners: 2 },
          },
          network: { apiServer: ["10.97.0.1/32"] },
          quota: { pods: 20 },
          buildkit: { size: "20Gi", storageClass: "block" },
        },
        untrusted: {
          network: { ssh: true },
          sets: { check: { maxRunners: 4 } },
        },
      },
    },
    github: {
      owner: "acme",
      repository: "infra",
      repositoryIds: [42],
      plan: "enterprise",
      environments: { [STACK]: { branches: ["main"], reviewers: { teams: [7] } } },
      variables: { KILN_STACK: STACK },
      tagRules: { releaseAppId: 99 },
    },
  };
}

let plane: ControlPlane;
let project: EngineProject;
let controller: RunnerController;
let node: BackgroundLoop;
let committed: string;
/** The names of what the cluster had before the stack came. */
let before: ReadonlySet<string>;

beforeAll(async () => {
  plane = await startControlPlane();
  project = await EngineProject.create();
  project.env = { KUBECONFIG: plane.kubeconfig };
  await writeTestCrds(path.join(project.directory, "crds"));
  for (const [plural, kind] of Object.entries(MONITORING_CRDS)) {
    await create(
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      permissive(plural, kind, "monitoring.coreos.com", "v1"),
    );
  }
  await create(
    "/apis/storage.k8s.io/v1/storageclasses",
    JSON.stringify({ metadata: { name: "block" }, provisioner: PROVISIONER, allowVolumeExpansion: true }),
  );
  controller = startRunnerController(plane);
  node = startNodeStandIn(plane);
  before = new Set();
  before = new Set(await left());
  await project.write(FILE, "config: {}\n");
  await project.pulumi("stack", "init", STACK, "--no-select");
  // The options that every command gets would come behind `--`, so the key's own dashes have to be the option's value.
  await project.pulumi("config", "set-all", "--stack", STACK, `--secret=kiln:appKey=${KEY}`);
  committed = await project.read(FILE);
  await set(settings());
}, 900_000);

afterAll(async () => {
  await controller.stop();
  await node.stop();
  await project.remove();
  await plane.stop();
});

async function create(at: string, text: string): Promise<void> {
  const { status, body } = await plane.request("POST", at, JSON.parse(text));
  if (status !== 201) throw new Error(`${at}: ${JSON.stringify(body)}`);
}

/** Writes the stack's file: what Pulumi put into it, and these settings. */
async function set(values: Readonly<Record<string, unknown>>): Promise<void> {
  const document = parse(committed) as { config: Record<string, unknown> };
  const named = Object.entries(values).map(([key, value]) => [`kiln:${key}`, value] as const);
  const warmImage = `localhost:5180/kiln/base-images/iac-runner-warm@${DIGEST}`;
  const config = {
    ...document.config,
    "kiln:registry": "localhost:5180",
    "kiln:warmImage": warmImage,
    ...Object.fromEntries(named),
  };
  await project.write(FILE, stringify({ ...document, config }));
}

async function succeed(...args: readonly string[]): Promise<string> {
  const result = await project.pulumi(...args, "--stack", STACK);
  expect(result.code, `${result.stdout}\n${result.stderr}`).toBe(0);
  return result.stdout;
}

type Change = (stack: ReturnType<typeof settings>) => Readonly<Record<string, unknown>>;

/** The stack with one tenant's zone changed. */
function trusted(change: Readonly<Record<string, unknown>>): Change {
  return ({ tenants: { platform }, ...stack }) => ({
    ...stack,
    tenants: { platform: { ...platform, trusted: { ...platform.trusted, ...change } } },
  });
}

const SETS = settings().tenants.platform.trusted.sets;
const LANES = ["test-runners-platform-bake-lane-0", "test-runners-platform-bake-lane-1"] as const;
const CACHE = "runners-platform-trusted-cache";

describe("a stack's runners against a real API server", { timeout: 600_000 }, () => {
  it("are all accepted, and the controller finds what it needs", async () => {
    await succeed("up", "--yes", "--skip-preview");
    await expect
      .poll(running)
      .toEqual([
        "runners-test-runners-platform-trusted-dind/test-runners-platform-assemble",
        "runners-test-runners-platform-trusted-kubernetes/test-runners-platform-pods",
        "runners-test-runners-platform-trusted/test-runners-platform-bake-lane-0",
        "runners-test-runners-platform-trusted/test-runners-platform-bake-lane-1",
        "runners-test-runners-platform-untrusted/test-runners-platform-check",
      ]);
    expect(controller.events.filter(({ what }) => what === "deleted" || what === "held")).toEqual([]);
  });

  it("keep the App's key encrypted in the state, and out of every other object than its Secret", async () => {
    const line = KEY.split("\n")[5] ?? "";
    expect(await succeed("stack", "export")).not.toContain(line);
    expect(await succeed("stack", "export", "--show-secrets")).toContain(line);
  });

  it("do not change at a second up", async () => {
    await succeed("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  const changes: readonly (readonly [string, Change, readonly string[]])[] = [
    [
      "a controller with another number of replicas",
      (stack) => ({ ...stack, controller: { ...stack.controller, replicas: 3 } }),
      ["update Deployment runners-controller"],
    ],
    [
      "runners that ask for more",
      trusted({ sets: { ...SETS, bake: { ...SETS.bake, requests: { cpu: 4, memory: "8Gi" } } } }),
      LANES.map((lane) => `update AutoscalingRunnerSet ${lane}`),
    ],
    [
      "more runners at once",
      trusted({ sets: { ...SETS, assemble: { mode: "dind", maxRunners: 3 } } }),
      ["update AutoscalingRunnerSet test-runners-platform-assemble"],
    ],
    [
      "another label, which GitHub learns only from a new registration",
      trusted({ sets: { ...SETS, assemble: { mode: "dind", maxRunners: 1, labels: ["docker"] } } }),
      ["replace AutoscalingRunnerSet test-runners-platform-assemble"],
    ],
    [
      "one lane more",
      trusted({
        cache: { mode: "lane", lanes: 3, size: "50Gi", storageClass: "block" },
        sets: { ...SETS, bake: { ...SETS.bake, maxRunners: 3 } },
      }),
      [
        "create AutoscalingRunnerSet test-runners-platform-bake-lane-2",
        `create CronJob ${CACHE}-lane-2-gc`,
        `create PersistentVolumeClaim ${CACHE}-lane-2`,
        "create Role test-runners-platform-bake-lane-2-manager",
        "create RoleBinding test-runners-platform-bake-lane-2-manager",
        "create ServiceAccount test-runners-platform-bake-lane-2-no-permission",
        "update PrometheusRule runners-watch-alerts",
      ],
    ],
    [
      "a larger volume, which grows in place",
      trusted({ cache: { mode: "lane", lanes: 2, size: "80Gi", storageClass: "block" } }),
      ["0", "1"].flatMap((lane) => [
        `update CronJob ${CACHE}-lane-${lane}-gc`,
        `update PersistentVolumeClaim ${CACHE}-lane-${lane}`,
      ]),
    ],
    [
      "another runner image",
      (stack) => ({ ...stack, actionsRunner: { image: `localhost:5180/actions-runner@sha256:${"b".repeat(64)}` } }),
      [
        ...["assemble", "bake-lane-0", "bake-lane-1", "check", "pods"].map(
          (set) => `update AutoscalingRunnerSet test-runners-platform-${set}`,
        ),
        "update CronJob runners-platform-freshness",
        `update CronJob ${CACHE}-lane-0-gc`,
        `update CronJob ${CACHE}-lane-1-gc`,
        ...["trusted-dind", "trusted", "trusted-kubernetes", "untrusted"].map(
          (namespace) => `update DaemonSet runners-platform-${namespace}-images`,
        ),
      ],
    ],
    [
      "no untrusted zone",
      ({ tenants: { platform }, ...stack }) => {
        const { untrusted, ...rest } = platform;
        expect(untrusted).toBeDefined();
        return { ...stack, tenants: { platform: rest } };
      },
      [
        "delete ActionsRunnerGroup github-group-kiln-test-runners-platform-untrusted",
        "delete AutoscalingRunnerSet test-runners-platform-check",
        "delete DaemonSet runners-platform-untrusted-images",
        "delete LimitRange runners-platform-untrusted-limits",
        "delete Namespace runners-platform-untrusted",
        ...["allow-dns", "allow-internet", "default-deny"].map(
          (policy) => `delete NetworkPolicy runners-platform-untrusted-${policy}`,
        ),
        "delete Secret runners-platform-untrusted-github",
        "delete Role test-runners-platform-check-manager",
        "delete RoleBinding test-runners-platform-check-manager",
        "delete ServiceAccount test-runners-platform-check-no-permission",
        "update PrometheusRule runners-watch-alerts",
      ],
    ],
    [
      "no buildkitd",
      ({ tenants: { platform }, ...stack }) => {
        const { buildkit, ...zone } = platform.trusted;
        expect(buildkit).toBeDefined();
        return { ...stack, tenants: { platform: { ...platform, trusted: zone } } };
      },
      [
        "delete ConfigMap runners-platform-trusted-buildkit-config",
        "delete Namespace runners-platform-trusted-buildkit",
        "delete NetworkPolicy runners-platform-trusted-allow-service-buildkitd",
        ...["allow-clients", "allow-dns", "allow-internet", "default-deny"].map(
          (policy) => `delete NetworkPolicy runners-platform-trusted-buildkit-${policy}`,
        ),
        "delete PersistentVolumeClaim runners-platform-trusted-buildkit-state",
        "delete Service runners-platform-trusted-buildkit",
        "delete StatefulSet runners-platform-trusted-buildkit",
        ...LANES.map((lane) => `update AutoscalingRunnerSet ${lane}`),
      ],
    ],
    [
      "another organization, where the sets register anew",
      ({ tenants: { platform }, ...stack }) => ({
        ...stack,
        tenants: {
          platform: {
            ...platform,
            url: "https://github.com/other",
            trusted: {
              ...platform.trusted,
              workflow: "other/infra/.github/workflows/iac-runner-image.yml@refs/heads/main",
            },
          },
        },
      }),
      [
        "delete ActionsRunnerGroup github-group-kiln-test-runners-platform-trusted",
        "delete ActionsRunnerGroup github-group-kiln-test-runners-platform-untrusted",
        ...["assemble", "bake-lane-0", "bake-lane-1", "check", "pods"].map(
          (set) => `replace AutoscalingRunnerSet test-runners-platform-${set}`,
        ),
      ],
    ],
  ];
  /** Each preview of the whole stack takes a quarter of a minute: the others are for `npm run test:extended`. */
  const always = ["one lane more", "no untrusted zone", "another organization"];
  for (const [name, change, steps] of changes) {
    const isLeftOut = !isExtended && !always.some((beginning) => name.startsWith(beginning));
    it.skipIf(isLeftOut)(`with ${name} plan exactly that`, async () => {
      await set(change(settings()));
      expect(await project.plannedNames(STACK)).toEqual([...steps].sort());
    });
  }

  it.each<[string, Change, RegExp]>([
    [
      "a storage class that is not there",
      trusted({ cache: { mode: "lane", lanes: 2, size: "50Gi", storageClass: "fast" } }),
      /kiln:tenants\.platform\.trusted\.cache\.storageClass is "fast", which is no storage class/,
    ],
    [
      "a runtime class that is not there",
      trusted({ sets: { ...SETS, assemble: { ...SETS.assemble, runtimeClass: "kata" } } }),
      /sets\.assemble\.runtimeClass names the RuntimeClass kata/,
    ],
    [
      "a controller that another stack should have",
      (stack) => ({
        ...stack,
        controller: { manage: false, namespace: "elsewhere", serviceAccount: "arc", version: "0.14.2" },
      }),
      /kiln:controller names the namespace elsewhere, where no actions-runner-controller runs/,
    ],
  ])("with %s are refused at preview", async (_, change, message) => {
    await set(change(settings()));
    const result = await project.pulumi("preview", "--stack", STACK);
    expect(result.code).not.toBe(0);
    expect(result.stdout).toMatch(message);
  });

  const moves: readonly [string, Change][] = [
    [
      "to a Docker daemon, which has a namespace of its own",
      trusted({ sets: { ...SETS, bake: { ...SETS.bake, cache: false }, assemble: { mode: "dind", maxRunners: 2 } } }),
    ],
    ["to another namespace", trusted({ namespace: "elsewhere" })],
    ["back", (stack) => stack],
  ];
  for (const [where, change] of moves) {
    // Two updates of more than half a minute each.
    const isLeftOut = !isExtended && !where.startsWith("to a Docker daemon");
    it.skipIf(isLeftOut)(`move ${where} while the controller signs the old ones off`, async () => {
      const seen = controller.events.length;
      await set(change(settings()));
      await succeed("up", "--yes", "--skip-preview");
      expect(controller.events.slice(seen).filter(({ what }) => what === "held" || what === "deleted")).toEqual([]);
    });
  }

  it("leave nothing when they are destroyed, the scale sets first", async () => {
    await set(settings());
    const seen = controller.events.length;
    const sets = await items(plane, "/apis/actions.github.com/v1alpha1/autoscalingrunnersets");
    expect(sets.length).toBeGreaterThanOrEqual(4);
    await succeed("destroy", "--yes", "--skip-preview");
    const ends = controller.events.slice(seen);
    expect(ends.filter(({ what }) => what === "held")).toEqual([]);
    expect(ends.filter(({ what }) => what === "finalized")).toHaveLength(sets.length);
    expect(await left()).toEqual([]);
  });
});

/** The scale sets that the controller has running. */
function running(): readonly string[] {
  return controller.events
    .filter(({ what }) => what === "running")
    .map(({ scaleSet }) => scaleSet)
    .sort();
}

/** What is in the cluster that was not there before the stack. */
async function left(): Promise<readonly string[]> {
  const lists = [
    "/api/v1/namespaces",
    "/api/v1/persistentvolumes",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
  ];
  const found = await Promise.all(lists.map((list) => items(plane, list)));
  const names = found.flatMap((list) => list.map(({ metadata }) => metadata.name));
  return names.filter((name) => !before.has(name)).sort();
}
