import { rm } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../progress.ts";
import { download } from "./download.ts";
import { platformName, type GoToolchain } from "./pins.ts";
import { run, throwIfInterrupted } from "./process.ts";
import { unzip } from "./unzip.ts";

const PUBLIC_PROXY = "https://proxy.golang.org";

/** The GOROOT of a toolchain that a Go command on PATH fetches, checked by Go's checksum database; undefined if none can. */
export async function fetchGoToolchain(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const sumdb = env.GOSUMDB === "off" ? { GOSUMDB: "sum.golang.org" } : {};
  const options = { env: { ...env, ...sumdb, GOTOOLCHAIN: name, GOFLAGS: "" }, allowFailure: true };
  const result = await run("go", ["env", "GOROOT", "GOVERSION"], options).catch(() => {
    throwIfInterrupted();
    return undefined;
  });
  const [root, version] = result?.stdout.trim().split("\n") ?? [];
  return version === name ? root : undefined;
}

/**
 * Unpacks a toolchain from the module proxy's archive into `target`, for machines that have no Go at all; returns the
 * reason where the proxy does not give it. The archive is checked against its pin.
 */
export async function unpackGoToolchain(
  toolchain: GoToolchain,
  target: string,
  options: { readonly progress: Progress; readonly env: NodeJS.ProcessEnv; readonly platform?: string },
): Promise<string | undefined> {
  const { progress, env, platform = platformName() } = options;
  const pin = toolchain.archives[platform];
  if (pin?.member === undefined) return `no archive is pinned for ${platform}`;
  const archive = `${target}.zip`;
  // By a function, since a password may hold what `replace` takes for a pattern of its own.
  const url = pin.url.replace(PUBLIC_PROXY, () => proxyAddress(env));
  const missed = await download({ ...pin, url }, archive, progress);
  if (missed) return missed.reason;
  const prefix = pin.member.slice(0, -"bin/go".length);
  await unzip(archive, target, { prefix, modeOf: (name) => (isProgram(name) ? 0o755 : 0o644) });
  await rm(archive);
  return undefined;
}

/** The first proxy that GOPROXY names, or the public one. */
export function proxyAddress(env: NodeJS.ProcessEnv): string {
  const named = (env.GOPROXY ?? "").split(/[,|]/).find((entry) => /^https?:\/\//.test(entry));
  return (named ?? PUBLIC_PROXY).replace(/\/$/, "");
}

/** Where the programs of a GOROOT stand: module archives keep no modes. */
function isProgram(name: string): boolean {
  return path.dirname(name) === "bin" || name.startsWith("pkg/tool/");
}
