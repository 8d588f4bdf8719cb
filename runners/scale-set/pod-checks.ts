import { KilnError } from "../../errors.ts";
import type { PodSpec } from "./pod-template.ts";
import type { PodContainer } from "./request.ts";

/**
 * Throws a usage error where Kubernetes would refuse the pods of a scale set, which only the controller would see, runner by
 * runner: names that are there twice, mounts at one path, mounts of no volume.
 */
export function requirePod<Text>({ volumes = [], containers, initContainers = [] }: PodSpec<Text>, at: string): void {
  const all = [...initContainers, ...containers];
  requireOnce(
    "volumes",
    volumes.map(({ name }) => name),
    at,
  );
  requireOnce(
    "containers",
    all.map(({ name }) => name),
    at,
  );
  const named = new Set(volumes.map(({ name }) => name));
  for (const container of all) requireContainer(container, named, at);
}

function requireContainer<Text>(
  { name, env = [], volumeMounts = [] }: PodContainer<Text>,
  volumes: Set<string>,
  at: string,
): void {
  requireOnce(
    `environment of container ${name}`,
    env.map((variable) => variable.name),
    at,
  );
  requireOnce(
    `mounts of container ${name}`,
    volumeMounts.map(({ mountPath }) => mountPath),
    at,
  );
  const stray = volumeMounts.find((mount) => !volumes.has(mount.name));
  if (stray === undefined) return;
  throw new KilnError("usage", `${at}: container ${name} mounts ${stray.name}, which is no volume of the pod`, {
    mend: `Add it to ${at}.volumes, or leave the mount out`,
  });
}

function requireOnce(what: string, names: readonly string[], at: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new KilnError("usage", `${at}: ${twice} is there twice among the ${what} of the pod`, {
    mend: "Give each a name of its own; those that the container mode, the cache and kiln bring along count too",
  });
}
