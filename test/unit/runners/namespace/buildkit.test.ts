import { describe, expect, it } from "vitest";
import {
  BUILDKIT_IMAGE,
  BUILDKIT_SERVICE,
  buildKitAddress,
  buildKitClaim,
  buildKitConfig,
  buildKitPod,
  buildKitService,
  requireBuildKit,
} from "../../../../runners/namespace/buildkit.ts";

describe("requireBuildKit", () => {
  it.each([
    BUILDKIT_IMAGE,
    "mirror.example/buildkit:v0.26.1-rootless",
    `mirror.example/buildkit@sha256:${"a".repeat(64)}`,
  ])("takes %s", (image) => {
    expect(() => {
      requireBuildKit({ image, size: "100Gi" }, "buildkit");
    }).not.toThrow();
  });

  it.each([
    "moby/buildkit",
    "moby/buildkit:latest",
    "moby/buildkit:rootless",
    "moby/buildkit:master-rootless",
    "localhost:5000/buildkit",
  ])("refuses %s, which moves", (image) => {
    expect(() => {
      requireBuildKit({ image, size: "100Gi" }, "buildkit");
    }).toThrow("buildkit.image");
  });
});

it("keeps a fifth of the volume free for the build that runs, and cache mounts as long as they fit", () => {
  const limits = "    reservedSpace = 10000000000\n    maxUsedSpace = 80000000000\n    minFreeSpace = 10000000000\n";
  expect(buildKitConfig({ size: "100G" })).toBe(
    `[worker.oci]\n  gc = true\n  [[worker.oci.gcpolicy]]\n${limits}  [[worker.oci.gcpolicy]]\n    all = true\n${limits}`,
  );
});

it("asks for a volume of one node", () => {
  expect(buildKitClaim({ size: "1Gi", storageClass: "fast" })).toEqual({
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "fast",
  });
});

it("is reached at the port and by the labels that its clients' policies name", () => {
  const { podLabels, port } = buildKitService("build");
  expect(buildKitAddress("build")).toBe(`tcp://buildkitd.build.svc:${port}`);
  expect(BUILDKIT_SERVICE.ports[0].port).toBe(port);
  expect(buildKitPod({ size: "1Gi" }).metadata?.labels).toMatchObject(podLabels);
});

describe("its pod", () => {
  const spec = (request: Parameters<typeof buildKitPod>[0]) => buildKitPod(request).spec;

  it("is nobody on its node: no root, no capability, no host, no token", () => {
    const pod = spec({ size: "1Gi" });
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 },
    });
    expect(JSON.stringify(pod)).not.toMatch(/privileged|hostPath|hostNetwork|hostPID|"add"/);
  });

  it("is replaced when its configuration changes", () => {
    const annotation = (size: string) => buildKitPod({ size }).metadata?.annotations;
    expect(annotation("1Gi")).toEqual(annotation("1Gi"));
    expect(annotation("1Gi")).not.toEqual(annotation("2Gi"));
  });

  it("asks clients for a certificate where it has an authority", () => {
    const [container] = spec({ size: "1Gi", tlsSecret: "buildkit-certs" })?.containers ?? [];
    expect(container?.args).toEqual(expect.arrayContaining(["--tlscacert", "/certs/ca.pem"]));
    expect(container?.volumeMounts).toContainEqual({ name: "tls", mountPath: "/certs", readOnly: true });
    expect(spec({ size: "1Gi" })?.containers[0]?.args?.join(" ")).not.toContain("tls");
  });
});
