import { ownPlatform } from "../../toolchain/platforms.ts";

const ARM64 = /(?:^|[-_])arm(?:64)?(?:[-_]|$)/i;

/** The label by which a job asks for a machine of arm64 where this one is none; nothing for any other job. */
export function foreignLabel(labels: readonly string[], own = ownPlatform()): string | undefined {
  return own === "linux/arm64" ? undefined : labels.find((label) => ARM64.test(label));
}
