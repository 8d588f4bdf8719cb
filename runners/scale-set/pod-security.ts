import type { V1PodSecurityContext, V1SecurityContext } from "@kubernetes/client-node";
import type { ContainerMode } from "./container-mode.ts";
import { givenFields } from "../given-fields.ts";
import { RUNNER_POD_SECURITY } from "../runner-user.ts";

/** `restricted` meets the pod security standard of that name; `baseline` leaves users and capabilities to the image. */
export type PodSecurity = "restricted" | "baseline";

/** The default: jobs that run in the runner container need no privilege, a Docker daemon and job hooks have ways of their own. */
export function podSecurityOf(mode: ContainerMode, wanted: PodSecurity | undefined): PodSecurity {
  return wanted ?? (mode === "none" ? "restricted" : "baseline");
}

/**
 * The pod's security context. Where volumes are written (`writesVolumes`), they belong to the runner's group; changed at the
 * first mount only, since walking a Go cache of many gigabytes at every start takes minutes.
 */
export function podSecurityContext(
  security: PodSecurity,
  { writesVolumes, own }: { readonly writesVolumes: boolean; readonly own: Readonly<V1PodSecurityContext> | undefined },
): V1PodSecurityContext | undefined {
  const { fsGroup, fsGroupChangePolicy } = RUNNER_POD_SECURITY;
  const group = writesVolumes ? givenFields({ fsGroup, fsGroupChangePolicy }) : {};
  const context = { ...(security === "restricted" ? RUNNER_POD_SECURITY : group), ...own };
  return Object.keys(context).length === 0 ? undefined : context;
}

/** A container's security context; what the container says itself comes first. */
export function containerSecurityContext(
  security: PodSecurity,
  own: Readonly<V1SecurityContext> | undefined,
): V1SecurityContext | undefined {
  return security === "restricted" ? { ...UNPRIVILEGED, ...own } : own;
}

const UNPRIVILEGED: Readonly<V1SecurityContext> = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
