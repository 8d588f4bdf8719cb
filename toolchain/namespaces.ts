import { findExecutable } from "./executables.ts";
import { refusedFinding, type Finding, type Refusal } from "./finding.ts";
import { run } from "./process.ts";

/** What a machine says that does not let kiln put caches at the image's paths. */
export const FORBIDDEN_NAMESPACES: Refusal = {
  reason: "this machine forbids the namespaces that put caches at the image's paths",
  mend: "Run as root, or allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1; on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0). In a Docker container this takes --privileged.",
};

/** What a system says that has no such namespaces at all. */
export const NO_LINUX: Refusal = {
  reason: "caches are warmed in Linux namespaces, which this system does not have",
  mend: "Run kiln on Linux, in a Linux container or virtual machine, or let a runner bake.",
};

const NO_UNSHARE: Refusal = {
  reason: "caches are warmed in namespaces that `unshare` makes, which is not on PATH",
  mend: "Install it (Debian, Ubuntu: apt-get install -y util-linux).",
};

/** Arguments of `unshare` for a mount namespace of a command's own: without root it takes a user namespace as well. */
export function namespaceFlags(uid: number | undefined = process.getuid?.()): readonly string[] {
  return ["--mount", ...(uid === 0 ? [] : ["--user", "--map-root-user"])];
}

/**
 * Why this machine cannot warm caches; undefined where it can. It is tried: in a container, what is allowed depends on
 * how that was started.
 */
export async function namespaceRefusal(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Promise<Refusal | undefined> {
  if (platform !== "linux") return NO_LINUX;
  const unshare = await findExecutable("unshare", env);
  if (unshare === undefined) return NO_UNSHARE;
  const { code } = await run(unshare, [...namespaceFlags(), "--", "true"], { env, allowFailure: true });
  return code === 0 ? undefined : FORBIDDEN_NAMESPACES;
}

/** How it stands with warming caches. */
export async function warmingFinding(env: NodeJS.ProcessEnv, platform?: NodeJS.Platform): Promise<Finding> {
  const [name, version] = ["warming", "in namespaces"];
  const refusal = await namespaceRefusal(env, platform);
  if (refusal !== undefined) return refusedFinding(name, version, refusal);
  const path = await findExecutable("unshare", env);
  return { name, version, status: "ok", source: "unshare", ...(path === undefined ? {} : { path }), blocks: true };
}
