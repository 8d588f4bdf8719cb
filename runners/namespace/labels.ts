/** A pod security standard of Kubernetes: what pods of a namespace may ask of their node. */
export type PodSecurityLevel = "restricted" | "baseline" | "privileged";

/**
 * The labels by which Kubernetes refuses pods beyond a level, writes them to the audit log and warns who made them. The
 * version is `latest`: a cluster's upgrade brings the rules of its own time.
 */
export function podSecurityLabels(level: PodSecurityLevel): Readonly<Record<string, string>> {
  const modes = ["enforce", "audit", "warn"].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, level],
    [`pod-security.kubernetes.io/${mode}-version`, "latest"],
  ]);
  return Object.fromEntries(modes) as Record<string, string>;
}
