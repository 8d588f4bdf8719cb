import { describe, expect, it } from "vitest";
import type { ContainerMode } from "../../../../runners/scale-set/container-mode.ts";
import { requireScaleSet } from "../../../../runners/scale-set/checks.ts";
import type { ScaleSetRequest } from "../../../../runners/scale-set/request.ts";
import { cacheAttachment, scaleSetRequest } from "../../../support/scale-set-request.ts";

type About = Partial<ScaleSetRequest<string>>;

const CLAIM = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } };
const PROXY = { url: "http://me:hunter2@proxy:3128" };

function refused(about: About): string {
  try {
    requireScaleSet(scaleSetRequest(about), "kiln:runners.iac");
  } catch (error) {
    expect(error).toMatchObject({
      name: "KilnError",
      kind: "usage",
      mend: expect.stringMatching(/^[A-Z].{5,}/) as string,
    });
    return (error as Error).message;
  }
  return "nothing is wrong";
}

describe("a scale set that cannot work is refused at preview:", () => {
  it.each<[string, About, string]>([
    [
      "max below min",
      { minRunners: 5, maxRunners: 2 },
      ".maxRunners is 2, below kiln:runners.iac.minRunners, which is 5",
    ],
    [
      "max left out",
      { maxRunners: undefined as unknown as number },
      ".maxRunners is undefined, but a number of runners",
    ],
    ["max below zero", { maxRunners: -1 }, ".maxRunners is -1"],
    ["half a runner", { minRunners: 0.5 }, ".minRunners is 0.5"],
    ["more runners than fit", { maxRunners: 2 ** 31 }, ".maxRunners is 2147483648"],
    ["a name of 46 characters", { scaleSetName: "a".repeat(46) }, "of 46 characters, but at most 45 fit"],
    ["a namespace of 64 characters", { namespace: "n".repeat(64) }, ".namespace is"],
    [
      "an address that is none",
      { configUrl: "https://github.com" },
      "which is no organization, repository or enterprise",
    ],
    [
      "a controller of another minor",
      { controller: { namespace: "arc-systems", serviceAccount: "arc", version: "0.13.1" } },
      "kiln:runners.iac.controller.version",
    ],
    [
      "a runner group for a repository",
      { configUrl: "https://github.com/acme/infra", runnerGroup: "iac" },
      ".configUrl is a repository, which has no runner groups",
    ],
    ["a runner group without a name", { runnerGroup: "" }, ".runnerGroup is empty"],
    ["a label without text", { labels: ["a", " "] }, ".labels[1] has 1 characters"],
    ["a label of 256 characters", { labels: ["l".repeat(256)] }, ".labels[0] has 256 characters"],
    ["a label twice", { labels: ["x64", "X64"] }, '.labels has "X64" twice'],
    ["a mode that is none", { mode: "podman" as ContainerMode }, '.mode is "podman"'],
    ["a daemon's settings without one", { dind: {} }, ".dind is set, but means nothing in mode none"],
    [
      "a work volume without hooks",
      { mode: "dind", workVolumeClaim: CLAIM },
      ".workVolumeClaim is set, but means nothing",
    ],
    ["a hook template without hooks", { hookTemplate: {} }, ".hookTemplate is set, but means nothing in mode none"],
    ["job containers without hooks", { requireJobContainer: false }, ".requireJobContainer is set"],
    ["rules without hooks", { kubernetesModeAdditionalRules: [] }, ".kubernetesModeAdditionalRules is set"],
    ["hooks without a work volume", { mode: "kubernetes" }, ".workVolumeClaim is not set"],
    ["a restricted daemon", { mode: "dind", podSecurity: "restricted" }, "mode dind runs a privileged Docker daemon"],
    ["a proxy that is no address", { proxy: { https: { url: "proxy:3128" } } }, ".proxy.https.url is no http or https"],
    ["a proxy's password in the address", { proxy: { http: PROXY } }, ".proxy.http.url holds credentials"],
    ["a proxy that is nowhere", { proxy: { noProxy: ["acme.example"] } }, ".proxy names no proxy"],
    ["a vault's proxy without a vault", { vaultProxy: { https: { url: "http://p" } } }, "but no vault is"],
    ["an authority without a key", { certificateAuthority: { configMap: "ca", key: "" } }, ".key is empty"],
    [
      "an authority mounted nowhere",
      { certificateAuthority: { configMap: "ca", key: "ca.crt", runnerMountPath: "certs" } },
      '.runnerMountPath is "certs", which is no full path',
    ],
    [
      "a vault that is no address",
      { vault: { url: "acme", tenantId: "t", clientId: "c", certificatePath: "/c" } },
      ".vault.url is no https address",
    ],
    [
      "a vault's certificate nowhere",
      { vault: { url: "https://v", tenantId: "t", clientId: "c", certificatePath: "c.pem" } },
      ".vault.certificatePath",
    ],
    [
      "a version of one's own",
      { everyObject: { labels: { "app.kubernetes.io/version": "0.13.1" } } },
      ".everyObject.labels sets app.kubernetes.io/version",
    ],
    [
      "a hash of one's own",
      { resourceMeta: { autoscalingRunnerSet: { annotations: { "actions.github.com/values-hash": "x" } } } },
      ".resourceMeta.autoscalingRunnerSet.annotations sets actions.github.com/values-hash",
    ],
    [
      "nodes of two architectures",
      { arch: "arm64", nodeSelector: { "kubernetes.io/arch": "amd64" } },
      ".arch is arm64, but kiln:runners.iac.nodeSelector wants kubernetes.io/arch=amd64",
    ],
    ["a second runner container", { containers: [{ name: "runner" }] }, "runner is there twice among the containers"],
    ["a sidecar named as a seed", { mode: "dind", initContainers: [{ name: "dind" }] }, "dind is there twice"],
    ["a volume twice", { volumes: [{ name: "a" }, { name: "a" }] }, "a is there twice among the volumes"],
    ["the daemon's volume again", { mode: "dind", volumes: [{ name: "dind-sock" }] }, "dind-sock is there twice"],
    ["a variable twice", { env: [{ name: "A" }, { name: "A" }] }, "A is there twice among the environment"],
    ["a mount of no volume", { volumeMounts: [{ name: "go", mountPath: "/go" }] }, "mounts go, which is no volume"],
    [
      "two mounts at one path",
      {
        volumes: [{ name: "a" }, { name: "b" }],
        volumeMounts: [
          { name: "a", mountPath: "/a" },
          { name: "b", mountPath: "/a" },
        ],
      },
      "/a is there twice among the mounts of container runner",
    ],
  ])("%s", (_, about, message) => {
    expect(refused(about)).toContain(message);
    expect(refused(about)).toContain("kiln:runners.iac");
    expect(refused(about)).not.toContain("hunter2");
  });
});

describe("a cache that a scale set cannot use is refused:", () => {
  const cache = cacheAttachment({ maxRunners: 1, nodeSelector: { node: "a", "kubernetes.io/arch": "amd64" } });

  it.each<[string, About, string]>([
    [
      "in mode kubernetes",
      { mode: "kubernetes", workVolumeClaim: CLAIM },
      "jobs run in other pods, which do not see it",
    ],
    ["in mode kubernetes-novolume", { mode: "kubernetes-novolume" }, "jobs run in other pods, which do not see it"],
    ["by more runners than it serves", { maxRunners: 2 }, ".maxRunners is 2, but the cache lane-0 serves 1 at once"],
    ["on nodes where it is not", { nodeSelector: { node: "b" } }, "wants nodes with node=b, but the cache lane-0"],
    ["on another architecture", { arch: "arm64" }, "wants nodes with kubernetes.io/arch=arm64"],
    ["past its path", { env: [{ name: "GOMODCACHE", value: "/tmp" }] }, ".env sets GOMODCACHE"],
    [
      "elsewhere in the runner",
      { volumeMounts: [{ name: "go-cache", mountPath: "/x" }] },
      ".volumeMounts mounts go-cache",
    ],
    [
      "under another name",
      { volumes: [{ name: "mine", persistentVolumeClaim: { claimName: "iac-lane-0" } }] },
      ".volumes[mine] is iac-lane-0, the claim of its cache",
    ],
    [
      "by a sidecar",
      { containers: [{ name: "log", volumeMounts: [{ name: "go-cache", mountPath: "/x" }] }] },
      ".containers[log].volumeMounts mounts go-cache",
    ],
    [
      "before the runner",
      { initContainers: [{ name: "fetch", volumeMounts: [{ name: "go-cache", mountPath: "/x" }] }] },
      ".initContainers[fetch].volumeMounts mounts go-cache",
    ],
    [
      "by the Docker daemon",
      { mode: "dind", dind: { volumeMounts: [{ name: "go-cache", mountPath: "/x" }] } },
      ".dind.volumeMounts mounts go-cache",
    ],
  ])("%s", (_, about, message) => {
    expect(refused({ maxRunners: 1, cache, ...about })).toContain(message);
  });

  it("and taken where it fits", () => {
    expect(refused({ maxRunners: 1, cache, arch: "amd64", nodeSelector: { node: "a", pool: "ci" } })).toBe(
      "nothing is wrong",
    );
    expect(refused({ maxRunners: 1, cache, mode: "dind" })).toBe("nothing is wrong");
    expect(refused({ maxRunners: 40, cache: cacheAttachment() })).toBe("nothing is wrong");
  });
});
