import { describe, expect, it } from "vitest";
import type { ContainerMode } from "../../../../runners/scale-set/container-mode.ts";
import { CONTAINER_MODES, modePart, runsJobsInPods } from "../../../../runners/scale-set/container-mode.ts";
import { scaleSetRequest } from "../../../support/scale-set-request.ts";

const CLAIM = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } };
const HOOKS = ["ACTIONS_RUNNER_CONTAINER_HOOKS", "ACTIONS_RUNNER_POD_NAME", "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER"];

const names = (list: readonly { readonly name: string }[] = []) => list.map(({ name }) => name);

describe("a container mode", () => {
  it.each<[ContainerMode, object]>([
    ["none", { env: [], volumes: [], initContainers: [] }],
    [
      "dind",
      {
        env: ["DOCKER_HOST", "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS"],
        volumes: ["dind-sock", "dind-externals", "work"],
        initContainers: ["init-dind-externals", "dind"],
      },
    ],
    ["kubernetes", { env: HOOKS, volumes: ["work"], initContainers: [] }],
    ["kubernetes-novolume", { env: [...HOOKS, "ACTIONS_RUNNER_IMAGE"], volumes: [], initContainers: [] }],
  ])("%s brings along what the official chart brings", (mode, expected) => {
    const part = modePart(scaleSetRequest({ mode, ...(mode === "kubernetes" ? { workVolumeClaim: CLAIM } : {}) }));
    expect({
      env: names(part.env),
      volumes: names(part.volumes),
      initContainers: names(part.initContainers),
    }).toEqual(expected);
  });

  it("runs jobs in pods of their own in the two kubernetes modes", () => {
    expect(CONTAINER_MODES.filter(runsJobsInPods)).toEqual(["kubernetes", "kubernetes-novolume"]);
  });
});

describe("the Docker daemon beside the runner", () => {
  const daemonOf = (dind: object) => {
    const part = modePart(scaleSetRequest({ mode: "dind", dind }));
    return [...(part.initContainers ?? []), ...(part.containers ?? [])].find(({ name }) => name === "dind");
  };

  it("is a privileged sidecar, which jobs wait for", () => {
    expect(daemonOf({})).toMatchObject({
      image: "docker:dind",
      securityContext: { privileged: true },
      restartPolicy: "Always",
      startupProbe: { exec: { command: ["docker", "info"] } },
    });
  });

  it("is a plain container where sidecars are stripped, without the probe that is forbidden there", () => {
    const part = modePart(scaleSetRequest({ mode: "dind", dind: { sidecar: false } }));
    expect(names(part.initContainers)).toEqual(["init-dind-externals"]);
    expect(names(part.containers)).toEqual(["dind"]);
    expect(daemonOf({ sidecar: false })).not.toHaveProperty("restartPolicy");
    expect(daemonOf({ sidecar: false })).not.toHaveProperty("startupProbe");
  });

  it("takes an image, arguments, environment, resources and mounts behind its own", () => {
    const daemon = daemonOf({
      image: "docker@sha256:1",
      args: ["--mtu=1400"],
      env: [{ name: "DOCKER_DRIVER", value: "overlay2" }],
      resources: { limits: { memory: "4Gi" } },
      volumeMounts: [{ name: "docker", mountPath: "/var/lib/docker" }],
    });
    expect(daemon).toMatchObject({ image: "docker@sha256:1", resources: { limits: { memory: "4Gi" } } });
    expect(daemon?.args?.at(-1)).toBe("--mtu=1400");
    expect(names(daemon?.env)).toEqual(["DOCKER_GROUP_GID", "DOCKER_DRIVER"]);
    expect(names(daemon?.volumeMounts)).toEqual(["work", "dind-sock", "dind-externals", "docker"]);
  });
});

describe("job hooks", () => {
  it("refuse jobs without a container, unless that is switched off", () => {
    const required = (about: object) =>
      modePart(scaleSetRequest({ mode: "kubernetes-novolume", ...about })).env?.find(
        ({ name }) => name === "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER",
      )?.value;
    expect(required({})).toBe("true");
    expect(required({ requireJobContainer: false })).toBe("false");
  });

  it("without a volume know the runner's image, whose tools they copy", () => {
    const request = scaleSetRequest({ mode: "kubernetes-novolume" });
    expect(modePart(request).env?.at(-1)).toEqual({ name: "ACTIONS_RUNNER_IMAGE", value: request.image });
  });

  it("share the claim of the work volume with the job", () => {
    expect(modePart(scaleSetRequest({ mode: "kubernetes", workVolumeClaim: CLAIM })).volumes).toEqual([
      { name: "work", ephemeral: { volumeClaimTemplate: { spec: CLAIM } } },
    ]);
  });
});
