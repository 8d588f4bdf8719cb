import { KilnError } from "../../errors.ts";

/** The release of actions-runner-controller: CRDs, the controller's image and the label of scale sets follow this alone. */
export const ARC_VERSION = "0.14.2";

/** What a scale set has to know of the controller that looks after it. */
export interface ControllerReference {
  /** Where the controller, and with it every listener, runs. */
  readonly namespace: string;
  /** The account that is bound to the manager role of each scale set. */
  readonly serviceAccount: string;
  readonly version: string;
}

/**
 * Throws a usage error unless a controller of `version` has the major and minor of `ARC_VERSION`; `at` is where the version
 * is written. A controller deletes every AutoscalingRunnerSet that carries another minor (actions-runner-controller #4422).
 */
export function requireLockstep(version: string, at: string): void {
  const [ours, theirs] = [minorOf(ARC_VERSION), minorOf(version)];
  if (ours !== undefined && ours === theirs) return;
  const what = theirs === undefined ? "which is no version" : `but scale sets are made for ${ours}`;
  throw new KilnError("usage", `${at} is ${JSON.stringify(version)}, ${what}`, {
    mend:
      `Set it to ${ARC_VERSION}, and upgrade the cluster's controller to that first: ` +
      "a controller of another minor version would delete the scale sets",
  });
}

/** Whether a controller of `version` knows what came with patch `patch` of the minor that `requireLockstep` lets pass. */
export function hasPatch(version: string, patch: number): boolean {
  return Number(partsOf(version)?.patch ?? 0) >= patch;
}

function minorOf(version: string): string | undefined {
  const parts = partsOf(version);
  return parts === undefined ? undefined : `${parts.major}.${parts.minor}`;
}

/** A semantic version, with or without a `v`. */
function partsOf(version: string) {
  const parts = /^v?(?<major>\d+)\.(?<minor>\d+)\.(?<patch>\d+)(?:[-+][\w.+-]+)?$/.exec(version)?.groups;
  return parts as { readonly major: string; readonly minor: string; readonly patch: string } | undefined;
}
