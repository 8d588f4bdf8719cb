import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ContainerMode } from "../../../../runners/scale-set/container-mode.ts";
import { CONTAINER_MODES } from "../../../../runners/scale-set/container-mode.ts";
import { podTemplate } from "../../../../runners/scale-set/pod-template.ts";
import type { ScaleSetRequest } from "../../../../runners/scale-set/request.ts";
import { cacheAttachment, scaleSetRequest } from "../../../support/scale-set-request.ts";

const specOf = (about: Partial<ScaleSetRequest<string>> = {}) => podTemplate(scaleSetRequest(about)).spec;
const runnerOf = (about: Partial<ScaleSetRequest<string>> = {}) =>
  specOf(about).containers.find(({ name }) => name === "runner");
const AUTHORITY = { configMap: "acme-ca", key: "ca.crt", runnerMountPath: "/usr/local/share/ca-certificates/" };

describe("the pods of a scale set", () => {
  it("run the runner once, as nobody in particular, without privileges", () => {
    expect(podTemplate(scaleSetRequest())).toEqual({
      metadata: {
        annotations: {
          "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
          "karpenter.sh/do-not-disrupt": "true",
        },
      },
      spec: {
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1001,
          runAsGroup: 1001,
          fsGroup: 1001,
          fsGroupChangePolicy: "OnRootMismatch",
          seccompProfile: { type: "RuntimeDefault" },
        },
        restartPolicy: "Never",
        serviceAccountName: "iac-gha-rs-no-permission",
        containers: [
          {
            command: ["/home/runner/run.sh"],
            name: "runner",
            image: scaleSetRequest().image,
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          },
        ],
      },
    });
  });

  it.each<[ContainerMode, object | undefined]>([
    ["dind", undefined],
    ["kubernetes", { fsGroup: 1001, fsGroupChangePolicy: "OnRootMismatch" }],
    ["kubernetes-novolume", undefined],
  ])("are as the image is in mode %s, with what volumes need", (mode, expected) => {
    expect(specOf({ mode }).securityContext).toEqual(expected);
    expect(runnerOf({ mode })).not.toHaveProperty("securityContext");
  });

  it("hold back sidecars and seeds too where they are restricted", () => {
    const { containers, initContainers } = specOf({
      containers: [{ name: "proxy", image: "proxy:1" }],
      initContainers: [{ name: "fetch", image: "fetch:1", securityContext: { readOnlyRootFilesystem: true } }],
      cache: cacheAttachment({ initContainers: [{ name: "seed" }] }),
    });
    for (const { securityContext } of [...containers, ...(initContainers ?? [])]) {
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
    }
    expect(initContainers?.[1]?.securityContext).toHaveProperty("readOnlyRootFilesystem", true);
  });

  it("keep the image's user where that is asked for", () => {
    expect(specOf({ podSecurity: "baseline" })).not.toHaveProperty("securityContext");
  });

  it("are kept from eviction only while each of them has a job", () => {
    const annotationsOf = (about: Partial<ScaleSetRequest<string>>) =>
      podTemplate(scaleSetRequest(about)).metadata?.annotations;
    expect(annotationsOf({ minRunners: 0 })).toHaveProperty(["karpenter.sh/do-not-disrupt"], "true");
    expect(annotationsOf({ minRunners: 1 })).toBeUndefined();
    expect(annotationsOf({ minRunners: 1, doNotEvict: true })).toHaveProperty(["karpenter.sh/do-not-disrupt"], "true");
    expect(annotationsOf({ doNotEvict: false, podAnnotations: { team: "iac" } })).toEqual({ team: "iac" });
  });

  it("go where the architecture, the spot nodes and the selector say", () => {
    const spec = specOf({
      arch: "arm64",
      spot: true,
      nodeSelector: { pool: "ci" },
      tolerations: [{ key: "ci", operator: "Exists" }],
      affinity: { podAntiAffinity: {} },
      priorityClassName: "ci",
      runtimeClassName: "kata",
      hostUsers: false,
      imagePullSecrets: ["pull"],
      podLabels: { team: "iac" },
      pod: { dnsPolicy: "Default", terminationGracePeriodSeconds: 90, securityContext: { supplementalGroups: [7] } },
    });
    expect(spec).toMatchObject({
      nodeSelector: { "kubernetes.io/arch": "arm64", pool: "ci" },
      affinity: { podAntiAffinity: {} },
      priorityClassName: "ci",
      runtimeClassName: "kata",
      hostUsers: false,
      imagePullSecrets: [{ name: "pull" }],
      dnsPolicy: "Default",
      terminationGracePeriodSeconds: 90,
      securityContext: { runAsUser: 1001, supplementalGroups: [7] },
    });
    expect(spec.tolerations?.map(({ key }) => key)).toEqual([
      "ci",
      "cloud.google.com/gke-spot",
      "kubernetes.azure.com/scalesetpriority",
      "karpenter.sh/capacity-type",
    ]);
  });

  it("use an account of one's own where one is named", () => {
    expect(specOf({ serviceAccountName: "mine" }).serviceAccountName).toBe("mine");
    expect(specOf({ mode: "kubernetes-novolume" }).serviceAccountName).toBe("iac-gha-rs-kube-mode");
  });

  it("reach a buildkitd at its address", () => {
    expect(runnerOf({ buildkit: "tcp://buildkitd.build:1234" })?.env).toEqual([
      { name: "BUILDKIT_HOST", value: "tcp://buildkitd.build:1234" },
    ]);
  });

  it("make the pods of jobs after a template", () => {
    const about = { mode: "kubernetes-novolume", hookTemplate: { spec: { priorityClassName: "ci" } } } as const;
    expect(runnerOf(about)?.env?.at(-1)).toEqual({
      name: "ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE",
      value: "/home/runner/pod-template/job.json",
    });
    expect(specOf(about).volumes).toEqual([{ name: "hook-template", configMap: { name: "iac-gha-rs-hook-template" } }]);
  });
});

describe("what the user says in the template", () => {
  it("comes before what a mode would add under the same name, as in the official chart", () => {
    const about = {
      mode: "dind",
      env: [{ name: "DOCKER_HOST", value: "tcp://elsewhere:2375" }],
      volumeMounts: [{ name: "work", mountPath: "/work" }],
      volumes: [{ name: "work", emptyDir: { sizeLimit: "10Gi" } }],
      runnerContainer: { command: ["/bin/run"], imagePullPolicy: "Always" },
      resources: { requests: { cpu: "2" } },
    } as const satisfies Partial<ScaleSetRequest<string>>;
    const runner = runnerOf({ ...about, runnerContainer: { command: ["/bin/run"], imagePullPolicy: "Always" } });
    expect(runner).toMatchObject({
      name: "runner",
      command: ["/bin/run"],
      imagePullPolicy: "Always",
      resources: { requests: { cpu: "2" } },
    });
    expect(runner?.env?.filter(({ name }) => name === "DOCKER_HOST")).toEqual(about.env);
    expect(runner?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual(["/work", "/var/run"]);
    expect(specOf({ mode: "dind", volumes: [...about.volumes] }).volumes).toEqual([
      { name: "dind-sock", emptyDir: {} },
      { name: "dind-externals", emptyDir: {} },
      { name: "work", emptyDir: { sizeLimit: "10Gi" } },
    ]);
  });
});

describe("a certificate authority", () => {
  it("is trusted by run.sh where the image's user has sudo", () => {
    const runner = runnerOf({ certificateAuthority: AUTHORITY, podSecurity: "baseline" });
    expect(runner?.env).toEqual([
      { name: "NODE_EXTRA_CA_CERTS", value: "/usr/local/share/ca-certificates/ca.crt" },
      { name: "RUNNER_UPDATE_CA_CERTS", value: "1" },
    ]);
  });

  it("is put into the bundle before the runner starts where there is no sudo", () => {
    const spec = specOf({ certificateAuthority: AUTHORITY });
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(["trust-certificate-authority"]);
    expect(runnerOf({ certificateAuthority: AUTHORITY })).toMatchObject({
      env: [{ name: "NODE_EXTRA_CA_CERTS" }, { name: "SSL_CERT_FILE", value: "/etc/ssl/certs/ca-certificates.crt" }],
      volumeMounts: [
        { mountPath: "/usr/local/share/ca-certificates/ca.crt", subPath: "ca.crt" },
        { name: "certificate-bundle", mountPath: "/etc/ssl/certs/ca-certificates.crt", subPath: "ca-certificates.crt" },
      ],
    });
  });

  it("is for the controller alone where runners mount it nowhere", () => {
    const { configMap, key } = AUTHORITY;
    expect(specOf({ certificateAuthority: { configMap, key } })).toEqual(specOf());
  });
});

describe("a cache", () => {
  const cache = cacheAttachment({ initContainers: [{ name: "seed", command: ["cp"] }], nodeSelector: { node: "a" } });

  it("is mounted by the runner container and by nothing else, in any mode that takes one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<ContainerMode>("none", "dind"),
        fc.subarray(["proxy", "log"]),
        fc.subarray(["fetch", "wait"]),
        (mode, containers, initContainers) => {
          const spec = specOf({
            mode,
            cache,
            containers: containers.map((name) => ({ name, image: "x" })),
            initContainers: initContainers.map((name) => ({ name, image: "x" })),
          });
          const mounting = [...spec.containers, ...(spec.initContainers ?? [])].filter(({ volumeMounts = [] }) =>
            volumeMounts.some(({ name }) => name === "go-cache"),
          );
          expect(mounting.map(({ name }) => name)).toEqual(["runner"]);
          expect(spec.nodeSelector).toEqual({ node: "a" });
          expect(spec.securityContext).toMatchObject({ fsGroup: 1001, fsGroupChangePolicy: "OnRootMismatch" });
        },
      ),
    );
  });

  it("is seeded by the runner's own image", () => {
    expect(specOf({ cache }).initContainers?.[0]).toMatchObject({ name: "seed", image: scaleSetRequest().image });
  });

  it("decides the nodes before anything else does", () => {
    expect(specOf({ cache, nodeSelector: { node: "b", pool: "ci" } }).nodeSelector).toEqual({ node: "a", pool: "ci" });
  });
});

describe("a value of another resource", () => {
  /** Stands for a `pulumi.Output`: a spec that survives it asks nothing of it. */
  const unknown = Object.freeze({ known: false });

  it.each(CONTAINER_MODES)("stands where a text would in mode %s, and leaves the rest readable", (mode) => {
    const request = { ...scaleSetRequest({ mode }), image: unknown, buildkit: unknown };
    const template = podTemplate<string | typeof unknown>(request);
    expect(template.spec.containers[0]).toMatchObject({ name: "runner", image: unknown });
    expect(template.spec.containers[0]?.env).toContainEqual({ name: "BUILDKIT_HOST", value: unknown });
    const text = JSON.stringify(template, (_key, value: unknown) => (value === unknown ? "IMAGE" : value));
    expect(text.replaceAll('"IMAGE"', JSON.stringify("x"))).toBe(
      JSON.stringify(podTemplate(scaleSetRequest({ mode, image: "x", buildkit: "x" }))),
    );
  });
});
