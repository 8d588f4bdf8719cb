import { METADATA_NETWORKS } from "../../runners/namespace/forbidden-networks.ts";
import { findExecutable } from "../../toolchain/executables.ts";
import { run } from "../../toolchain/process.ts";

/** Rules of this machine's packet filter, until they are lifted. */
export interface MetadataGuard {
  lift(): Promise<void>;
}

const WITHIN_MS = 20_000;

/**
 * Drops what comes from a bridge for a cloud's metadata service, before any address is translated. Docker itself has no
 * setting for it, and takes a container's right to set its own routes away with all others. Undefined where this process
 * may not, or cannot, change the packet filter. IPv6 needs none: these bridges have no IPv6.
 */
export async function guardMetadata(bridge: string): Promise<MetadataGuard | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  if (!(await changeRules("--append", bridge))) return undefined;
  return { lift: () => liftGuard(bridge) };
}

/** Takes the rules of a bridge away, also those that a killed process left. */
export async function liftGuard(bridge: string): Promise<void> {
  await changeRules("--delete", bridge);
}

/** Returns whether this process could. */
async function changeRules(action: "--append" | "--delete", bridge: string): Promise<boolean> {
  const iptables = await findExecutable("iptables", process.env);
  if (iptables === undefined) return false;
  const args = ["--wait", "10", "--table", "raw", action, "PREROUTING", ...guardMatch(bridge), "--jump", "DROP"];
  const options = { signal: AbortSignal.timeout(WITHIN_MS), allowFailure: true };
  return run(iptables, args, options).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/** What a rule matches: all addresses in one call, which the packet filter divides by itself. */
export function guardMatch(bridge: string): readonly string[] {
  const addresses = METADATA_NETWORKS.filter((network) => !network.includes(":"));
  return ["--in-interface", bridge, "--destination", addresses.join(",")];
}
