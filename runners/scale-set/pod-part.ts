import type { V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { EnvVar, PodContainer } from "./request.ts";

/** What one concern (the container mode, the cache, a certificate authority) adds to the pods of a scale set. */
export interface PodPart<Text> {
  /** Environment of the runner container. */
  readonly env?: readonly EnvVar<Text>[];
  /** Mounts of the runner container. */
  readonly mounts?: readonly V1VolumeMount[];
  readonly volumes?: readonly V1Volume[];
  readonly initContainers?: readonly PodContainer<Text>[];
  readonly containers?: readonly PodContainer<Text>[];
}

/** The runner container's environment: the user's first, then what parts add under other names, as the official chart does. */
export function runnerEnv<Text>(
  own: readonly EnvVar<Text>[],
  parts: readonly PodPart<Text>[],
): readonly EnvVar<Text>[] {
  const named = new Set(own.map(({ name }) => name));
  return [...own, ...parts.flatMap(({ env = [] }) => env.filter(({ name }) => !named.has(name)))];
}

/** The runner container's mounts: who mounts a part's volume somewhere else is left with that. */
export function runnerMounts(own: readonly V1VolumeMount[], parts: readonly PodPart<unknown>[]): V1VolumeMount[] {
  const mounted = new Set(own.map(({ name }) => name));
  return [...own, ...parts.flatMap(({ mounts = [] }) => mounts.filter(({ name }) => !mounted.has(name)))];
}

/** The pod's volumes. The user's volume `work` takes the place of the container mode's. */
export function podVolumes(own: readonly V1Volume[], parts: readonly PodPart<unknown>[]): V1Volume[] {
  const work = own.find(({ name }) => name === WORK_VOLUME);
  const theirs = parts.flatMap(({ volumes = [] }) => volumes);
  const replaced = work !== undefined && theirs.some(({ name }) => name === WORK_VOLUME);
  return [
    ...theirs.map((volume) => (volume.name === WORK_VOLUME ? (work ?? volume) : volume)),
    ...own.filter((volume) => !(replaced && volume === work)),
  ];
}

/** Where jobs check out and work: shared with the Docker daemon or with the pod of the job. */
export const WORK_VOLUME = "work";
