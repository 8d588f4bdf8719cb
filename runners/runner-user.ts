import type { V1PodSecurityContext, V1SecurityContext } from "@kubernetes/client-node";

/** The user `runner` of the runner image (images/Dockerfile of actions/runner). */
export const RUNNER_UID = 1001;
/** Its group, which owns the volumes that it writes. */
export const RUNNER_GID = 1001;

/**
 * The security context of pods that kiln itself runs beside runners, under the pod security standard `restricted`. Volumes
 * are given to the runner's group at their first mount only: walking a whole Go cache at every start would take minutes.
 */
export const RUNNER_POD_SECURITY: Readonly<V1PodSecurityContext> = {
  runAsNonRoot: true,
  runAsUser: RUNNER_UID,
  runAsGroup: RUNNER_GID,
  fsGroup: RUNNER_GID,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
};

/** The security context of their containers. */
export const RESTRICTED_CONTAINER: Readonly<V1SecurityContext> = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
};
