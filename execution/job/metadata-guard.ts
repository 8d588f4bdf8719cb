import { existsSync } from "node:fs";
import path from "node:path";
import { METADATA_NETWORKS } from "../../runners/namespace/forbidden-networks.ts";
import { findExecutable } from "../../toolchain/executables.ts";
import { run } from "../../toolchain/process.ts";

/** Rules of this machine's packet filter, until they are lifted. */
export interface MetadataGuard {
  lift(): Promise<void>;
}

const WITHIN_MS = 20_000;
/** Where the kernel has this machine's network interfaces. */
const INTERFACES = "/sys/class/net";

/**
 * Drops what comes from a bridge for a cloud's metadata service, before any address is translated. Docker itself has no
 * setting for it, and takes a container's right to set its own routes away with all others. Undefined where this process
 * may not, or cannot, change the packet filter, and where the bridge is not here: behind a socket of this machine may be a
 * rootless engine, or a virtual machine. IPv6 needs none: these bridges have no IPv6.
 */
export async function guardMetadata(bridge: string): Promise<MetadataGuard | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  if (!existsSync(path.join(INTERFACES, bridge))) return undefined;
  if (!(await changeRules("append", bridge))) return undefined;
  return { lift: () => liftGuard(bridge) };
}

/** Takes the rules of a bridge away, also those that a killed process left. */
export async function liftGuard(bridge: string): Promise<void> {
  await changeRules("delete", bridge);
}

/** Returns whether this process could: all of them by one call, and all or none. */
async function changeRules(change: "append" | "delete", bridge: string): Promise<boolean> {
  const restore = await findExecutable("iptables-restore", process.env);
  if (restore === undefined) return false;
  const options = { input: guardRules(change, bridge), signal: AbortSignal.timeout(WITHIN_MS), allowFailure: true };
  return run(restore, ["--noflush", "--wait", "10"], options).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/**
 * The rules as `iptables-restore` reads them. Port 53 stays open: on Google's and Oracle's machines that address is the
 * machine's own resolver too, as WireServer is on Azure's, and Docker asks it from within the container's network.
 */
export function guardRules(change: "append" | "delete", bridge: string): string {
  const [action, match] = [change === "append" ? "-A" : "-D", guardMatch(bridge).join(" ")];
  const rules = ["-p udp --dport 53 -j ACCEPT", "-p tcp --dport 53 -j ACCEPT", "-j DROP"];
  return ["*raw", ...rules.map((rule) => `${action} PREROUTING ${match} ${rule}`), "COMMIT", ""].join("\n");
}

/** What the rules match: all addresses in one line, which the packet filter divides by itself. */
export function guardMatch(bridge: string): readonly string[] {
  const addresses = METADATA_NETWORKS.filter((network) => !network.includes(":"));
  return ["--in-interface", bridge, "--destination", addresses.join(",")];
}
