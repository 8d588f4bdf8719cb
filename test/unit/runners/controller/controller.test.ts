import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requireController } from "../../../../runners/controller/checks.ts";
import { managerArgs, portOf } from "../../../../runners/controller/flags.ts";
import type { ControllerRequest } from "../../../../runners/controller/request.ts";
import { controllerObjects, controllerReference } from "../../../../runners/controller/controller.ts";

const AT = "kiln:controller";

function settled(request: Partial<ControllerRequest> = {}) {
  return requireController({ namespace: "arc-systems", ...request }, AT);
}

function manager(request: Partial<ControllerRequest> = {}) {
  const { spec } = controllerObjects(settled(request)).deployment.spec.template;
  const [container] = spec.containers;
  if (container === undefined) throw new Error("no container");
  return { pod: spec, container };
}

describe("a request", () => {
  it.each<[string, Partial<ControllerRequest>, string]>([
    ["another minor version", { version: "0.13.1" }, "kiln:controller.version"],
    [
      "an image of another minor version",
      { image: "mirror.example/controller:0.15.0" },
      "the tag of kiln:controller.image",
    ],
    [
      "an image of another patch than said",
      { image: "mirror.example/controller:0.14.1" },
      "kiln:controller.image is of 0.14.1",
    ],
    ["a namespace that is no name", { namespace: "Arc_Systems" }, "kiln:controller.namespace"],
    ["a name that is too long", { fullName: "a".repeat(64) }, "kiln:controller.fullName"],
    ["the default account", { serviceAccountName: "default" }, "kiln:controller.serviceAccountName"],
    ["a watched namespace that is no name", { watchSingleNamespace: "-" }, "kiln:controller.watchSingleNamespace"],
    ["no replica", { replicas: 0 }, "kiln:controller.replicas is 0"],
    ["half a replica", { replicas: 1.5 }, "kiln:controller.replicas is 1.5"],
    ["no reconciliation", { runnerMaxConcurrentReconciles: 0 }, "kiln:controller.runnerMaxConcurrentReconciles"],
    ["no request a second", { k8sClientRateLimiterQps: 0 }, "kiln:controller.k8sClientRateLimiterQps"],
    ["metrics without a port", { metrics: { controllerManagerAddr: "0.0.0.0" } }, "metrics.controllerManagerAddr"],
    ["listeners' metrics without a port", { metrics: { listenerAddr: ":0" } }, "metrics.listenerAddr"],
    ["pprof without a port", { pprofAddr: ":65536" }, "kiln:controller.pprofAddr"],
    ["two servers on one port", { pprofAddr: ":8081" }, "both are port 8081"],
    [
      "probes before they were there",
      { version: "0.14.1", healthProbeBindAddress: ":8081" },
      "healthProbeBindAddress is set",
    ],
    [
      "a rate limiter before it was there",
      { version: "0.14.1", rateLimiter: "typed_rate_limiter" },
      "rateLimiter is set",
    ],
  ])("is refused with %s", (_, request, message) => {
    expect(() => settled(request)).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringContaining(message) as string }),
    );
  });

  it.each<[string, Partial<ControllerRequest>]>([
    ["only a namespace", {}],
    ["an image by digest", { image: `mirror.example:5000/controller@sha256:${"a".repeat(64)}` }],
    ["an image by tag and digest", { image: `mirror.example/controller:0.14.2@sha256:${"a".repeat(64)}` }],
    ["a tag that is no version", { image: "mirror.example:5000/controller:stable" }],
    ["an older patch", { version: "0.14.1" }],
    ["no metrics and no probes", { metrics: false, healthProbeBindAddress: false }],
    ["metrics of the listeners on the port of the probes, in another pod", { metrics: { listenerAddr: ":8081" } }],
  ])("is taken with %s", (_, request) => {
    expect(() => settled(request)).not.toThrow();
  });
});

describe("the manager's command line", () => {
  it("elects no leader among one", () => {
    expect(managerArgs(settled()).filter((arg) => arg.includes("leader"))).toEqual([]);
  });

  it("elects one among more, under the controller's name", () => {
    const args = managerArgs(settled({ replicas: 2, fullName: "other" }));
    expect(args).toContain("--enable-leader-election");
    expect(args).toContain("--leader-election-id=other");
  });

  it("says where metrics are, or that there are none", () => {
    const metricsOf = (request: Partial<ControllerRequest>) =>
      managerArgs(settled(request)).filter((arg) => arg.includes("metrics"));
    expect(metricsOf({})).toEqual([
      "--listener-metrics-addr=:8080",
      "--listener-metrics-endpoint=/metrics",
      "--metrics-addr=:8080",
    ]);
    expect(metricsOf({ metrics: false })).toEqual([
      "--listener-metrics-addr=0",
      "--listener-metrics-endpoint=",
      "--metrics-addr=0",
    ]);
  });

  it("has no flag that an older patch does not know: it would not start", () => {
    const args = managerArgs(settled({ version: "0.14.1" }));
    expect(args.filter((arg) => /health|pprof|workqueue/.test(arg))).toEqual([]);
    expect(manager({ version: "0.14.1" }).container.readinessProbe).toBeUndefined();
  });
});

describe("the pod", () => {
  it("meets the pod security standard `restricted`, and writes to /tmp alone", () => {
    const { pod, container } = manager();
    expect(pod.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.volumeMounts).toEqual([{ name: "tmp", mountPath: "/tmp" }]);
    expect(pod.volumes).toEqual([{ name: "tmp", emptyDir: {} }]);
  });

  it("runs the release's image, and says it to the listeners", () => {
    for (const image of [undefined, `mirror.example/controller@sha256:${"a".repeat(64)}`]) {
      const { container } = manager(image === undefined ? {} : { image });
      expect(container.image).toBe(image ?? "ghcr.io/actions/gha-runner-scale-set-controller:0.14.2");
      expect(container.env).toContainEqual({ name: "CONTROLLER_MANAGER_CONTAINER_IMAGE", value: container.image });
    }
  });

  it("opens the ports that it is told", () => {
    expect(manager({ pprofAddr: "127.0.0.1:6060" }).container.ports).toEqual([
      { name: "metrics", containerPort: 8080, protocol: "TCP" },
      { name: "pprof", containerPort: 6060, protocol: "TCP" },
    ]);
    expect(manager({ metrics: false }).container).not.toHaveProperty("ports");
  });

  it("keeps the labels by which it is found, whatever is asked for", () => {
    const own = { "app.kubernetes.io/name": "mine", "app.kubernetes.io/part-of": "mine", team: "platform" };
    const { metadata, spec } = controllerObjects(settled({ labels: own, podLabels: own })).deployment;
    expect(spec.template.metadata.labels).toMatchObject({ ...spec.selector.matchLabels, team: "platform" });
    expect(metadata.labels).toMatchObject({ "app.kubernetes.io/part-of": "gha-rs-controller", team: "platform" });
  });
});

describe("rights", () => {
  const rolesOf = (request: Partial<ControllerRequest>) =>
    controllerObjects(settled(request)).roles.map(({ role: { metadata } }) => [metadata.name, metadata.namespace]);

  it("reach over the cluster by default", () => {
    expect(rolesOf({})).toEqual([
      ["arc-controller", undefined],
      ["arc-controller-listener", "arc-systems"],
    ]);
  });

  it("end at the watched namespace where there is one", () => {
    expect(rolesOf({ watchSingleNamespace: "runners", replicas: 2 })).toEqual([
      ["arc-controller-single-namespace", "arc-systems"],
      ["arc-controller-single-namespace-watch", "runners"],
      ["arc-controller-listener", "arc-systems"],
      ["arc-controller-leader-election", "arc-systems"],
    ]);
  });

  it("are bound to the account that scale sets are told, and are never all", () => {
    fc.assert(
      fc.property(
        fc.record({
          replicas: fc.integer({ min: 1, max: 3 }),
          serviceAccountName: fc.constantFrom("arc-controller", "other"),
          watched: fc.constantFrom(undefined, "runners", "arc-systems"),
        }),
        ({ replicas, serviceAccountName, watched }) => {
          const watch = watched === undefined ? {} : { watchSingleNamespace: watched };
          const controller = settled({ replicas, serviceAccountName, ...watch });
          const { namespace, serviceAccount: name } = controllerReference(controller);
          const { roles, deployment } = controllerObjects(controller);
          expect(deployment.spec.template.spec.serviceAccountName).toBe(name);
          for (const { role, binding } of roles) {
            expect(binding.roleRef.name).toBe(role.metadata.name);
            expect(binding.metadata).toEqual(role.metadata);
            expect(binding.subjects).toEqual([{ kind: "ServiceAccount", name, namespace }]);
            expect(JSON.stringify(role.rules)).not.toContain("*");
          }
          const keys = roles.map(({ role: { metadata } }) => `${metadata.namespace ?? ""}/${metadata.name}`);
          expect(new Set(keys).size).toBe(keys.length);
        },
      ),
    );
  });
});

it("makes no account where one exists", () => {
  const request = { createServiceAccount: false, serviceAccountName: "theirs" };
  expect(controllerObjects(settled(request)).serviceAccount).toBeUndefined();
});

it("reads every port of an address that has one, and none elsewhere", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom("", "127.0.0.1", "[::1]"), (port, host) => {
      expect(portOf(`${host}:${port}`)).toBe(port);
    }),
  );
  for (const address of ["", "8080", ":", ":0", ":65536", ":80a"]) expect(portOf(address)).toBeUndefined();
});
