import { existsSync } from "node:fs";
import { mkdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import { findExecutable } from "./executables.ts";
import { run, type RunResult } from "./process.ts";

/** What of the packet filter is an engine's: its bridge, and where it is noted how things were before it. */
export interface FilterFiles {
  readonly bridge: string;
  /** What the machine's network was like before the engine. */
  readonly network: string;
  /** Where the commands of the old packet filter stand, if the engine needed them. */
  readonly legacy: string;
}

/** What a Docker engine changes for the whole machine and does not change back when it ends. */
interface NetworkState {
  /** Kernel start and network namespace that this was read in: elsewhere it says nothing. */
  readonly space: string;
  readonly ipForward: string;
  /** Policy of the FORWARD chain, by packet filter command. */
  readonly policies: Readonly<Record<string, string>>;
}

const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";

/** The environment with the folders of system commands at the end of PATH: `su` leaves them out. */
export function withSystem(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PATH: [env.PATH ?? "", "/usr/sbin", "/sbin"].join(path.delimiter) };
}

/** Removes the packet filter rules that name the bridge; Docker leaves its rules behind when it ends. */
export async function removeFilterRules(files: FilterFiles): Promise<void> {
  for (const command of filterCommands(files)) {
    for (const table of ["filter", "nat"]) {
      const rules = (await rulesOf(command, table)).split("\n");
      for (const rule of rules.filter((line) => line.startsWith("-A ") && line.includes(files.bridge))) {
        await quietly(command, ["-t", table, "-D", ...rule.split(" ").slice(1)]);
      }
    }
  }
}

/** Notes the network as it is before the engine; what an engine that broke down noted before stays true. */
export async function saveNetwork(files: FilterFiles): Promise<void> {
  const saved = await savedNetwork(files);
  const policies: Record<string, string> = {};
  for (const command of filterCommands(files)) {
    const policy = saved?.policies[command] ?? forwardPolicy(await rulesOf(command, "filter"));
    if (policy !== undefined) policies[command] = policy;
  }
  const ipForward = saved?.ipForward ?? (await textOf(IP_FORWARD));
  const state: NetworkState = { space: await networkSpace(), ipForward, policies };
  await writeFile(files.network, JSON.stringify(state));
}

async function savedNetwork(files: FilterFiles): Promise<NetworkState | undefined> {
  try {
    const state = JSON.parse(await readFile(files.network, "utf8")) as NetworkState;
    return state.space === (await networkSpace()) ? state : undefined;
  } catch {
    // Never written, or broken off half-written: nothing is known.
    return undefined;
  }
}

/** Takes Docker's empty chains away and gives back the FORWARD policy and IP forwarding, as far as this is possible. */
export async function restoreNetwork(files: FilterFiles): Promise<void> {
  const saved = await savedNetwork(files);
  for (const command of filterCommands(files)) {
    for (const table of ["filter", "nat"]) {
      for (const args of idleChainRemovals(await rulesOf(command, table)))
        await quietly(command, ["-t", table, ...args]);
    }
    const before = saved?.policies[command];
    const now = forwardPolicy(await rulesOf(command, "filter"));
    // Docker only ever sets DROP: another policy is someone else's.
    if (before !== undefined && before !== now && now === "DROP") await quietly(command, ["-P", "FORWARD", before]);
  }
  if (saved?.ipForward === "0") await writeFile(IP_FORWARD, "0\n").catch(() => undefined);
}

/** The policy of the FORWARD chain in what `iptables -S` prints. */
export function forwardPolicy(rules: string): string | undefined {
  return /^-P FORWARD (\S+)$/m.exec(rules)?.[1];
}

/**
 * Arguments of iptables, in order, that remove from what `iptables -S` printed those chains of Docker that do nothing
 * any more: all their rules return or jump to another such chain. Chains with a rule of anyone's stay, as in DOCKER-USER.
 */
export function idleChainRemovals(rules: string): readonly (readonly string[])[] {
  const lines = rules.split("\n").map((line) => line.split(" "));
  const appended = lines.flatMap(([flag, chain, ...rule]) =>
    flag === "-A" && chain !== undefined ? [{ chain, rule, target: rule[rule.indexOf("-j") + 1] ?? "" }] : [],
  );
  const created = lines.flatMap(([flag, chain]) => (flag === "-N" && chain !== undefined ? [chain] : []));
  let idle = created.filter((chain) => chain === "DOCKER" || chain.startsWith("DOCKER-"));
  for (let before = -1; before !== idle.length;) {
    before = idle.length;
    const harmless = new Set([...idle, "RETURN"]);
    idle = idle.filter((chain) => appended.every((line) => line.chain !== chain || harmless.has(line.target)));
  }
  const jumps = appended.filter((line) => idle.includes(line.target) && !idle.includes(line.chain));
  return [
    ...jumps.map(({ chain, rule }) => ["-D", chain, ...rule]),
    ...idle.map((chain) => ["-F", chain]),
    ...idle.map((chain) => ["-X", chain]),
  ];
}

/** The packet filters that the engine may have written to. */
function filterCommands(files: FilterFiles): readonly string[] {
  const names = ["iptables", "ip6tables"];
  return [...names, ...names.map((name) => path.join(files.legacy, name)).filter((file) => existsSync(file))];
}

async function rulesOf(command: string, table: string): Promise<string> {
  return (await finish(command, ["-t", table, "-S"]))?.stdout ?? "";
}

async function networkSpace(): Promise<string> {
  const boot = await textOf("/proc/sys/kernel/random/boot_id");
  return `${boot} ${await readlink("/proc/self/ns/net").catch(() => "")}`;
}

async function textOf(file: string): Promise<string> {
  return (await readFile(file, "utf8").catch(() => "")).trim();
}

/** A PATH on which `iptables` is iptables-legacy, where that is likely to mend the error; the system's choice stays. */
export async function legacyFilterPath(files: FilterFiles, error: unknown): Promise<string | undefined> {
  if (!(error instanceof KilnError) || !/iptables|nft|nat table/i.test(error.message)) return undefined;
  const directory = files.legacy;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const name of ["iptables", "ip6tables"]) {
    const legacy = await findExecutable(`${name}-legacy`, process.env);
    if (legacy === undefined) return undefined;
    await symlink(legacy, path.join(directory, name));
  }
  return `${directory}${path.delimiter}${process.env.PATH ?? ""}`;
}

/** Runs a clean-up command to its end, even after Ctrl-C; returns whether it succeeded. */
export async function quietly(command: string, args: readonly string[]): Promise<boolean> {
  return (await finish(command, args))?.code === 0;
}

async function finish(command: string, args: readonly string[]): Promise<RunResult | undefined> {
  const signal = new AbortController().signal;
  return run(command, args, { signal, env: withSystem(process.env), allowFailure: true }).catch(() => undefined);
}
