import type { V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import { KilnError } from "../../errors.ts";
import type { CacheAttachment } from "../cache/attachment.ts";
import { runsJobsInPods } from "./container-mode.ts";
import { ARCH_LABEL } from "./pod-template.ts";
import type { ScaleSetRequest } from "./request.ts";

/**
 * Throws a usage error where a scale set cannot use the cache that is attached to it, or would share it with whom it is not
 * meant for: pods beyond its bound, containers beside the runner, nodes where its volume is not.
 */
export function requireCache<Text>(request: ScaleSetRequest<Text>, at: string): void {
  const { cache, mode, maxRunners } = request;
  if (cache === undefined) return;
  if (runsJobsInPods(mode)) {
    throw refusal(
      `${at} attaches the cache ${cache.key}, but in mode ${mode} jobs run in other pods, which do not see it`,
      {
        mend: `Set ${at}.mode to none, or to dind where jobs need Docker`,
      },
    );
  }
  if (cache.maxRunners !== undefined && maxRunners > cache.maxRunners) {
    throw refusal(
      `${at}.maxRunners is ${maxRunners}, but the cache ${cache.key} serves ${cache.maxRunners} at once: ` +
        "a build cache that is written from two machines is corrupted",
      { mend: `Set it to ${cache.maxRunners}, and add scale sets with caches of their own for more` },
    );
  }
  requireNodes(request, cache, at);
  const names = new Set(cache.env.map(({ name }) => name));
  const overridden = request.env?.find(({ name }) => names.has(name));
  if (overridden !== undefined) {
    throw refusal(`${at}.env sets ${overridden.name}, which leads the runner to its cache ${cache.key}`, {
      mend: "Leave it out, or attach no cache",
    });
  }
  requireOwnMounts(request, at);
}

/** Nothing but the runner container may mount the volumes of its cache, nor their claims under another name. */
function requireOwnMounts<Text>(request: ScaleSetRequest<Text>, at: string): void {
  const claims = new Set(request.cache?.volumes.map(claimOf).filter((claim) => claim !== undefined));
  const second = request.volumes?.find((volume) => claims.has(claimOf(volume) ?? ""));
  if (second !== undefined) {
    throw refusal(`${at}.volumes[${second.name}] is ${claimOf(second) ?? ""}, the claim of its cache`, {
      mend: "Leave it out: the cache brings its volumes along",
    });
  }
  const cached = new Set(request.cache?.volumes.map(({ name }) => name));
  const others: readonly (readonly [string, readonly V1VolumeMount[]])[] = [
    ["volumeMounts", request.volumeMounts ?? []],
    ["dind.volumeMounts", request.dind?.volumeMounts ?? []],
    ...(["initContainers", "containers"] as const).flatMap((list) =>
      (request[list] ?? []).map(
        ({ name, volumeMounts = [] }) => [`${list}[${name}].volumeMounts`, volumeMounts] as const,
      ),
    ),
  ];
  for (const [where, mounts] of others) {
    const mount = mounts.find(({ name }) => cached.has(name));
    if (mount === undefined) continue;
    throw refusal(`${at}.${where} mounts ${mount.name}, a volume of the cache ${request.cache?.key ?? ""}`, {
      mend: "Leave it out: the runner container has it at the paths that builds look at, and nothing else may write it",
    });
  }
}

function claimOf({ persistentVolumeClaim }: V1Volume): string | undefined {
  return persistentVolumeClaim?.claimName;
}

function requireNodes(
  { arch, nodeSelector }: Pick<ScaleSetRequest<unknown>, "arch" | "nodeSelector">,
  cache: CacheAttachment,
  at: string,
): void {
  const wanted: Readonly<Record<string, string>> = {
    ...(arch === undefined ? {} : { [ARCH_LABEL]: arch }),
    ...nodeSelector,
  };
  for (const [label, value] of Object.entries(cache.nodeSelector)) {
    if ((wanted[label] ?? value) === value) continue;
    throw refusal(
      `${at} wants nodes with ${label}=${wanted[label] ?? ""}, but the cache ${cache.key} is for those with ${label}=${value}`,
      { mend: label === ARCH_LABEL ? "Plan a cache for each architecture" : "Leave that label out of nodeSelector" },
    );
  }
}

function refusal(message: string, { mend }: { readonly mend: string }): KilnError {
  return new KilnError("usage", message, { mend });
}
