import type { CacheAttachment } from "../../runners/cache/attachment.ts";
import type { ScaleSetRequest } from "../../runners/scale-set/request.ts";

/** The smallest scale set there is, with what a test is about in its place. */
export function scaleSetRequest(about: Partial<ScaleSetRequest<string>> = {}): ScaleSetRequest<string> {
  return {
    namespace: "runners",
    scaleSetName: "iac",
    configUrl: "https://github.com/acme",
    secretName: "acme-github-app",
    controller: { namespace: "arc-systems", serviceAccount: "arc-controller", version: "0.14.2" },
    image: `registry.example/actions-runner@sha256:${"a".repeat(64)}`,
    mode: "none",
    maxRunners: 4,
    ...about,
  };
}

/** A cache such as the plan of lanes attaches. */
export function cacheAttachment(about: Partial<CacheAttachment> = {}): CacheAttachment {
  return {
    key: "lane-0",
    volumes: [{ name: "go-cache", persistentVolumeClaim: { claimName: "iac-lane-0" } }],
    mounts: [{ name: "go-cache", mountPath: "/var/cache/go-mod", subPath: "go-mod" }],
    initContainers: [],
    env: [{ name: "GOMODCACHE", value: "/var/cache/go-mod" }],
    nodeSelector: {},
    maxRunners: undefined,
    ...about,
  };
}
