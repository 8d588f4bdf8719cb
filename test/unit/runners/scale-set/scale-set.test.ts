import type { V1PodTemplateSpec } from "@kubernetes/client-node";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARC_VERSION } from "../../../../runners/controller/arc.ts";
import { CONTAINER_MODES } from "../../../../runners/scale-set/container-mode.ts";
import { podTemplate } from "../../../../runners/scale-set/pod-template.ts";
import { autoscalingRunnerSet } from "../../../../runners/scale-set/scale-set.ts";
import { requireScaleSet } from "../../../../runners/scale-set/checks.ts";
import { isReservedKey, scaleSetLabels } from "../../../../runners/scale-set/labels.ts";
import { scaleSetObjects } from "../../../../runners/scale-set/objects.ts";
import type { ScaleSetRequest } from "../../../../runners/scale-set/request.ts";
import { CONTROLLER_OBJECTS } from "../../../../runners/scale-set/request.ts";
import { hookRules, managerRules } from "../../../../runners/scale-set/rules.ts";
import { scaleSetWarnings } from "../../../../runners/scale-set/warnings.ts";
import { readCrdSchema, schemaProblems } from "../../../support/crd-schema.ts";
import { cacheAttachment, scaleSetRequest } from "../../../support/scale-set-request.ts";

const SCHEMA = readCrdSchema("autoscalingrunnersets");
const CLAIM = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } };

describe("an AutoscalingRunnerSet", () => {
  it("says where, with what and how many", () => {
    const { spec } = autoscalingRunnerSet(scaleSetRequest({ labels: ["linux-x64"], runnerGroup: "iac" }));
    expect(spec).toEqual({
      githubConfigUrl: "https://github.com/acme",
      githubConfigSecret: "acme-github-app",
      runnerScaleSetName: "iac",
      maxRunners: 4,
      runnerGroup: "iac",
      runnerScaleSetLabels: ["linux-x64"],
      template: podTemplate(scaleSetRequest()),
    });
  });

  it("carries the version of the credentials, so that the listener restarts with new ones", () => {
    const annotationsOf = (about: Partial<ScaleSetRequest<string>>) =>
      autoscalingRunnerSet(scaleSetRequest(about)).metadata.annotations;
    expect(annotationsOf({ credentialsVersion: "v1" })).toMatchObject({ "actions.github.com/values-hash": "v1" });
    expect(annotationsOf({})).not.toHaveProperty("actions.github.com/values-hash");
  });

  it("is deleted in the background, so that the controller ends running jobs, whatever the caller annotates", () => {
    const propagation = "pulumi.com/deletionPropagationPolicy";
    const annotationsOf = (about: Partial<ScaleSetRequest<string>>) =>
      autoscalingRunnerSet(scaleSetRequest(about)).metadata.annotations;
    expect(annotationsOf({})).toEqual({ [propagation]: "background" });
    const given = { team: "iac", [propagation]: "foreground" };
    expect(annotationsOf({ resourceMeta: { autoscalingRunnerSet: { annotations: given } } })).toEqual({
      team: "iac",
      [propagation]: "background",
    });
  });

  it("hands proxies, authority and vault to controller and listener in the CRD's words", () => {
    const proxy = { https: { url: "http://proxy:3128", credentialSecretRef: "proxy-auth" }, noProxy: ["acme.example"] };
    const vault = {
      url: "https://acme.vault.azure.net",
      tenantId: "t",
      clientId: "c",
      certificatePath: "/vault/c.pem",
    };
    const { spec } = autoscalingRunnerSet(
      scaleSetRequest({
        proxy,
        vault,
        vaultProxy: proxy,
        certificateAuthority: { configMap: "acme-ca", key: "ca.crt" },
      }),
    );
    expect(spec).toMatchObject({
      proxy,
      vaultConfig: { type: "azure_key_vault", azureKeyVault: vault, proxy },
      githubServerTLS: { certificateFrom: { configMapKeyRef: { name: "acme-ca", key: "ca.crt" } } },
    });
  });

  it("tells the controller what its own objects carry", () => {
    const meta = { labels: { team: "iac" }, annotations: { contact: "iac@acme.example" } };
    const keys = Object.keys(CONTROLLER_OBJECTS) as (keyof typeof CONTROLLER_OBJECTS)[];
    const resourceMeta = Object.fromEntries(keys.map((key) => [key, meta]));
    const { spec } = autoscalingRunnerSet(scaleSetRequest({ resourceMeta }));
    for (const field of Object.values(CONTROLLER_OBJECTS)) expect(spec[field]).toEqual(meta);
  });

  it.skipIf(SCHEMA === undefined)("is one that the CRD takes whole, whatever is asked for", () => {
    fc.assert(
      fc.property(REQUESTS, (request) => {
        requireScaleSet(request, "request");
        expect(schemaProblems(autoscalingRunnerSet(request), SCHEMA ?? {})).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.skipIf(SCHEMA === undefined)("is checked by a walker that sees what is wrong", () => {
    const listenerTemplate = { spec: { containers: [{ name: "listener" }], dnsPolice: "x" } } as V1PodTemplateSpec;
    const { spec, ...set } = autoscalingRunnerSet(scaleSetRequest({ listenerTemplate }));
    const wrong = {
      ...set,
      spec: { ...spec, maxRunners: -1, minRunners: "1", autoscalingListener: { labels: { a: 1 } } },
    };
    expect(schemaProblems(wrong, SCHEMA ?? {}).toSorted()).toEqual([
      ".spec.autoscalingListener.labels.a: is no text",
      ".spec.listenerTemplate.spec.dnsPolice: is unknown",
      ".spec.maxRunners: is below 0",
      ".spec.minRunners: is no whole number",
    ]);
  });
});

describe("the labels of a scale set's objects", () => {
  it("are on every object, with the version that the controller compares", () => {
    fc.assert(
      fc.property(REQUESTS, (request) => {
        const objects = scaleSetObjects(request);
        const all = [
          objects.serviceAccount,
          objects.hooks?.role,
          objects.hooks?.roleBinding,
          objects.hookTemplate,
          objects.manager.role,
          objects.manager.roleBinding,
          objects.autoscalingRunnerSet,
        ].filter((object) => object !== undefined);
        for (const { metadata } of all) {
          expect(metadata).toMatchObject({
            namespace: request.namespace,
            labels: {
              ...scaleSetLabels(request.scaleSetName, request.namespace),
              "app.kubernetes.io/version": ARC_VERSION,
              "app.kubernetes.io/managed-by": "pulumi",
              team: "iac",
            },
          });
          for (const value of Object.values(metadata.labels)) expect(value).toMatch(/^[\w.-]{1,63}$/);
        }
      }),
    );
  });

  it("are nobody else's, nor is anything that the controller reads", () => {
    const keys = Object.keys(scaleSetLabels("iac", "runners"));
    expect(
      [...keys, "app.kubernetes.io/component", "actions.github.com/values-hash"].filter(isReservedKey),
    ).toHaveLength(9);
    expect(["team", "app.kubernetes.io/owner", "actions.github.company/x"].filter(isReservedKey)).toEqual([]);
  });

  it("leave room for those of one object and of all", () => {
    const { manager, serviceAccount } = scaleSetObjects(
      scaleSetRequest({
        everyObject: { labels: { team: "iac" }, annotations: { contact: "all" } },
        resourceMeta: { managerRole: { labels: { team: "platform" }, annotations: { purpose: "manage" } } },
      }),
    );
    expect(manager.role.metadata).toMatchObject({
      labels: { team: "platform", "app.kubernetes.io/component": "manager-role" },
      annotations: { contact: "all", purpose: "manage" },
    });
    expect(serviceAccount?.metadata).toMatchObject({ labels: { team: "iac" }, annotations: { contact: "all" } });
  });
});

describe("what a scale set may do", () => {
  const objectsOf = (about: Partial<ScaleSetRequest<string>> = {}) => scaleSetObjects(scaleSetRequest(about));

  it("is nothing for runners of mode none and dind, which have no token either", () => {
    for (const mode of ["none", "dind"] as const) {
      expect(objectsOf({ mode })).toMatchObject({
        serviceAccount: { metadata: { name: "iac-gha-rs-no-permission" }, automountServiceAccountToken: false },
        hooks: undefined,
      });
    }
  });

  it("is what job hooks do in the kubernetes modes", () => {
    const additional = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }];
    const { serviceAccount, hooks } = objectsOf({
      mode: "kubernetes-novolume",
      kubernetesModeAdditionalRules: additional,
    });
    expect(serviceAccount).not.toHaveProperty("automountServiceAccountToken");
    expect(hooks?.role.rules).toEqual(hookRules("kubernetes-novolume", additional));
    expect(hooks?.roleBinding.subjects).toEqual([
      { kind: "ServiceAccount", name: "iac-gha-rs-kube-mode", namespace: "runners" },
    ]);
    const jobs = (mode: "kubernetes" | "kubernetes-novolume") =>
      hookRules(mode).some(({ apiGroups }) => apiGroups?.[0] === "batch");
    expect([jobs("kubernetes"), jobs("kubernetes-novolume")]).toEqual([true, false]);
  });

  it("is up to an account that is named", () => {
    expect(objectsOf({ mode: "kubernetes-novolume", serviceAccountName: "mine" })).toMatchObject({
      serviceAccount: undefined,
      hooks: undefined,
    });
  });

  it("is granted to the controller's account, ConfigMaps only where one holds an authority", () => {
    const { manager } = objectsOf();
    expect(manager.roleBinding).toMatchObject({
      roleRef: { kind: "Role", name: "iac-gha-rs-manager" },
      subjects: [{ kind: "ServiceAccount", name: "arc-controller", namespace: "arc-systems" }],
    });
    expect(manager.role.rules).toEqual(managerRules(false));
    const withAuthority = objectsOf({ certificateAuthority: { configMap: "acme-ca", key: "ca.crt" } });
    expect(withAuthority.manager.role.rules.at(-1)).toEqual({
      apiGroups: [""],
      resources: ["configmaps"],
      verbs: ["get"],
    });
  });

  it("never is everything", () => {
    const rules = [...managerRules(true), ...hookRules("kubernetes")];
    expect(
      rules.flatMap(({ verbs, resources = [], apiGroups = [] }) => [...verbs, ...resources, ...apiGroups]),
    ).not.toContain("*");
  });
});

describe("a template for the pods of jobs", () => {
  it("is a ConfigMap that the runner mounts", () => {
    const hookTemplate = { spec: { containers: [{ name: "$job", resources: { requests: { cpu: "1" } } }] } };
    const { hookTemplate: map } = scaleSetObjects(scaleSetRequest({ mode: "kubernetes-novolume", hookTemplate }));
    expect(map?.metadata.name).toBe("iac-gha-rs-hook-template");
    expect(JSON.parse(map?.data["job.json"] ?? "")).toEqual(hookTemplate);
  });
});

describe("what a preview warns of", () => {
  const warned = (about: Partial<ScaleSetRequest<string>>) => scaleSetWarnings(scaleSetRequest(about)).join("\n");

  it("is what a mode costs", () => {
    expect(warned({ mode: "none" })).toBe("");
    expect(warned({ mode: "dind" })).toContain("privileged Docker daemon");
    expect(warned({ mode: "kubernetes" })).toContain("may read every Secret of their namespace");
    expect(warned({ mode: "kubernetes", serviceAccountName: "mine" })).toBe("");
  });

  it("is an image whose tag can move, where the image is known", () => {
    expect(warned({ image: "actions-runner:latest" })).toContain("name the image by digest");
    expect(warned({})).not.toContain("digest");
  });
});

/** Requests that are allowed: any mode with what fits it, and any choice of what all have. */
const TEXT = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/);
const REQUESTS: fc.Arbitrary<ScaleSetRequest<string>> = fc
  .record({
    mode: fc.constantFrom(...CONTAINER_MODES),
    name: TEXT,
    namespace: TEXT,
    min: fc.nat(3),
    flag: fc.boolean(),
    chosen: fc.subarray(["cache", "authority", "proxy", "vault", "placement", "listener", "extra", "hooks"]),
  })
  .map(({ mode, name, namespace, min, flag, chosen }) => {
    const inPods = mode === "kubernetes" || mode === "kubernetes-novolume";
    const has = (part: string) => chosen.includes(part);
    const meta = { labels: { team: "iac" }, annotations: { contact: "iac@acme.example" } };
    return scaleSetRequest({
      scaleSetName: name,
      namespace,
      mode,
      minRunners: min,
      everyObject: { labels: { team: "iac" } },
      ...(mode === "kubernetes" ? { workVolumeClaim: CLAIM } : {}),
      ...(mode === "dind" ? { dind: { sidecar: flag, args: ["--mtu=1400"] } } : {}),
      ...(has("cache") && !inPods
        ? { cache: cacheAttachment({ initContainers: [{ name: "seed", command: ["cp"] }] }) }
        : {}),
      ...(has("hooks") && inPods
        ? { hookTemplate: { spec: { priorityClassName: "ci" } }, requireJobContainer: flag }
        : {}),
      ...(has("authority")
        ? { certificateAuthority: { configMap: "acme-ca", key: "ca.crt", runnerMountPath: "/ca" } }
        : {}),
      ...(has("proxy") ? { proxy: { http: { url: "http://proxy:3128" }, noProxy: ["acme.example"] } } : {}),
      ...(has("vault")
        ? {
            vault: { url: "https://v.example", tenantId: "t", clientId: "c", certificatePath: "/c.pem" },
            credentialsVersion: "v",
          }
        : {}),
      ...(has("placement")
        ? {
            arch: "arm64",
            spot: true,
            hostUsers: flag,
            runtimeClassName: "kata",
            priorityClassName: "ci",
            affinity: {},
          }
        : {}),
      ...(has("listener")
        ? {
            listenerTemplate: {
              spec: { containers: [{ name: "listener", resources: { limits: { memory: "64Mi" } } }] },
            },
            listenerMetrics: {
              histograms: { gha_job_startup_duration_seconds: { labels: ["repository"], buckets: [1, 5.5] } },
            },
            resourceMeta: { autoscalingListener: meta, ephemeralRunner: meta },
          }
        : {}),
      ...(has("extra")
        ? {
            labels: ["linux-x64"],
            buildkit: "tcp://buildkitd:1234",
            containers: [{ name: "log", image: "log:1" }],
            volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Gi" } }],
            volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
            env: [{ name: "TEAM", value: "iac" }],
            resources: { requests: { cpu: 2 as unknown as string, memory: "4Gi" } },
            imagePullSecrets: ["pull"],
            podLabels: { team: "iac" },
            runnerContainer: { imagePullPolicy: "IfNotPresent" },
            pod: { terminationGracePeriodSeconds: 60, securityContext: { supplementalGroups: [7] } },
          }
        : {}),
    });
  });
