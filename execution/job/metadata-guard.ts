import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { METADATA_NETWORKS } from "../../runners/namespace/forbidden-networks.ts";
import { findExecutable } from "../../toolchain/executables.ts";
import { run, type RunResult } from "../../toolchain/process.ts";

const WITHIN_MS = 20_000;
/** So many processes may have made the same rules in the same moment. */
const MOST_AT_ONCE = 100;
/** Where the kernel has this machine's network interfaces. */
const INTERFACES = "/sys/class/net";

/** Whether the kernel passes what goes from port to port of a bridge by its packet filter, which keeps jobs apart: 0, or 1. */
const BRIDGE_FILTER = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/**
 * Drops what comes from a bridge for a cloud's metadata service, before any address is translated. Docker itself has no
 * setting for it, and takes a container's right to set its own routes away with all others. Returns whether it does so now:
 * not where this process may not, or cannot, change the packet filter, and where the bridge is not here: behind a socket of
 * this machine may be a rootless engine, or a virtual machine. IPv6 needs none: these bridges have no IPv6.
 */
export async function guardMetadata(bridge: string): Promise<boolean> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  if (!isHere(bridge)) return false;
  return (await isGuarded(bridge)) || changeRules("append", bridge);
}

/** Takes the rules of a bridge away, also those that a killed process left, or that two made at once. */
export async function liftGuard(bridge: string): Promise<void> {
  for (let left = MOST_AT_ONCE; left > 0 && (await changeRules("delete", bridge)); left--);
}

/**
 * Whether containers on a bridge of this machine could talk although their engine was told to keep them apart: someone has
 * turned the filtering of bridges off since. False where that cannot be seen here.
 */
export async function isUnfiltered(bridge: string): Promise<boolean> {
  if (!isHere(bridge)) return false;
  return (await readFile(BRIDGE_FILTER, "utf8").catch(() => "1")).trim() === "0";
}

function isHere(bridge: string): boolean {
  return existsSync(path.join(INTERFACES, bridge));
}

/** Whether the last of the rules is there; they come and go together. */
async function isGuarded(bridge: string): Promise<boolean> {
  const check = ["--wait", "10", "--table", "raw", "--check", "PREROUTING", ...guardMatch(bridge), "--jump", "DROP"];
  return (await filterCall("iptables", check))?.code === 0;
}

/** Returns whether this process could: all of them by one call, and all or none. */
async function changeRules(change: "append" | "delete", bridge: string): Promise<boolean> {
  const called = await filterCall("iptables-restore", ["--noflush", "--wait", "10"], guardRules(change, bridge));
  return called?.code === 0;
}

async function filterCall(name: string, args: readonly string[], input = ""): Promise<RunResult | undefined> {
  const command = await findExecutable(name, process.env);
  if (command === undefined) return undefined;
  const options = { input, signal: AbortSignal.timeout(WITHIN_MS), allowFailure: true };
  return run(command, args, options).catch(() => undefined);
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
