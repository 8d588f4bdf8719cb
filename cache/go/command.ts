import { mkdir } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { Refusal } from "../../toolchain/finding.ts";
import { FORBIDDEN_NAMESPACES, namespaceFlags, NO_LINUX } from "../../toolchain/namespaces.ts";
import { run, type RunOptions, type RunResult } from "../../toolchain/process.ts";
import { IMAGE_PATHS, type BuildContract } from "../contract.ts";
import { withoutGitPlaces } from "../git-environment.ts";
import { isFile } from "../source-files.ts";

/** The folders that a Go command sees at the image's paths, and the contract that it runs under. */
export interface GoMounts {
  readonly contract: BuildContract;
  /** GOROOT of exactly `contract.goVersion`. */
  readonly goRoot: string;
  readonly goModCache: string;
  readonly goBuildCache: string;
}

export interface MountedRunOptions extends Pick<
  RunOptions,
  "onStderrLine" | "onStdoutLine" | "allowFailure" | "signal"
> {
  readonly cwd: string;
  /** Variables besides those of the contract, none of which may enter an action ID. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Cuts the command off from every network: what is not in the caches cannot be had. */
  readonly offline?: boolean;
  /** Leaves the caches as they are: what the command writes to them is gone when it ends. */
  readonly discardWrites?: boolean;
}

/** Go settings that only say how modules are fetched, from the environment or `go env -w`; none enters an action ID. */
const FETCH_SETTINGS = ["GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE", "GOVCS", "GOAUTH"];

/**
 * Variables of the caller that fetching needs besides: their home, in which Git, SSH and Go find logins, certificates and
 * proxies. What says to Git which repository is meant is left out: it means another one (`git rev-parse --local-env-vars`).
 */
const FETCH_VARIABLES =
  /^(HOME|XDG_CONFIG_HOME|XDG_RUNTIME_DIR|NETRC|SSH_\w+|GIT_\w+|GH_\w+|SSL_CERT_\w+|https?_proxy|no_proxy)$/i;

/** Runs `go` with these arguments as `runMounted` does. */
export function runGo(mounts: GoMounts, args: readonly string[], options: MountedRunOptions): Promise<RunResult> {
  return runMounted(mounts, [`${IMAGE_PATHS.goRoot}/bin/go`, ...args], options);
}

/** The store whose caches stand at the image's paths as they are: that of a pod with volumes mounted there. */
export const STORE_IN_PLACE = path.dirname(IMAGE_PATHS.goBuildCache);

/**
 * Runs a command with the caches and Go at the paths that they have in the image, and with nothing of the caller's Go
 * settings: so module index entries, keyed by absolute path, are the image's too. Where they do not stand there, or the
 * command is cut off or its writes are discarded, in a mount namespace of its own. Linux only; without root that needs
 * unprivileged user namespaces, which containers do not have.
 */
export async function runMounted(
  mounts: GoMounts,
  command: readonly string[],
  options: MountedRunOptions,
): Promise<RunResult> {
  if (process.platform !== "linux") throw refused(NO_LINUX);
  await Promise.all([mounts.goModCache, mounts.goBuildCache].map((folder) => mkdir(folder, { recursive: true })));
  const { offline = false, discardWrites = false, environment, ...rest } = options;
  const env = { ...(await readFetchSettings(mounts.goRoot)), ...environment, ...goEnvironment(mounts) };
  if (!offline && !discardWrites && standInPlace(mounts)) {
    const [program = "", ...programArgs] = command;
    return run(program, programArgs, { ...rest, env });
  }
  const args = [
    ...namespaceFlags(),
    ...(offline ? ["--net"] : []),
    "--",
    "/bin/sh",
    "-euc",
    MOUNT_SCRIPT,
    "sh",
    ...command,
  ];
  const mounting = { ...env, ...mountEnvironment(mounts), KILN_DISCARD: discardWrites ? "1" : "" };
  const result = await run("unshare", args, { ...rest, env: mounting }).catch((error: unknown) => {
    throw error instanceof KilnError && NAMESPACE_FAILURE.test(error.message)
      ? refused(FORBIDDEN_NAMESPACES, error)
      : error;
  });
  // A caller that takes failures for the program's own must not take this one for it.
  if (result.code !== 0 && NAMESPACE_FAILURE.test(result.stderr)) throw refused(FORBIDDEN_NAMESPACES, result.stderr);
  return result;
}

/** What stands at the beginning of a line where no command was started: Go itself prints no such line. */
const NAMESPACE_FAILURE = /^(?:unshare|mount): .*/m;

function refused({ reason, mend }: Refusal, cause?: unknown): KilnError {
  return new KilnError("unreachable", reason, { mend, cause });
}

/** Fetch settings by GOROOT: they are the caller's, and do not change while kiln runs. */
const fetchSettings = new Map<string, Promise<NodeJS.ProcessEnv>>();

function readFetchSettings(goRoot: string): Promise<NodeJS.ProcessEnv> {
  const known = fetchSettings.get(goRoot) ?? askFetchSettings(goRoot);
  fetchSettings.set(goRoot, known);
  return known;
}

async function askFetchSettings(goRoot: string): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await run(path.join(goRoot, "bin/go"), ["env", "-json", ...FETCH_SETTINGS], {
    cwd: tmpdir(),
    env: { ...process.env, GOTOOLCHAIN: "local" },
  });
  const settings = Object.entries(JSON.parse(stdout) as Record<string, string>);
  return {
    GIT_TERMINAL_PROMPT: "0",
    ...(await readSshCommand()),
    ...Object.fromEntries(settings.filter(([, value]) => value !== "")),
  };
}

/**
 * In a user namespace SSH takes itself for root, and would look for the hosts that it knows in root's home. A command that
 * the caller or their Git has for it stays.
 */
async function readSshCommand(): Promise<NodeJS.ProcessEnv> {
  const known = path.join(homedir(), ".ssh/known_hosts");
  if (process.getuid?.() === 0 || process.env.GIT_SSH !== undefined || !(await isFile(known))) return {};
  const own = await run("git", ["config", "--get", "core.sshCommand"], { cwd: tmpdir(), allowFailure: true });
  if (own.code === 0) return {};
  return { GIT_SSH_COMMAND: `ssh -o UserKnownHostsFile='${known.replaceAll("'", "'\\''")}'` };
}

/** The environment of a warming Go: the contract, the image's paths, how to fetch, and nothing else. */
function goEnvironment(mounts: GoMounts): NodeJS.ProcessEnv {
  const { contract } = mounts;
  const own = Object.entries(withoutGitPlaces(process.env)).filter(([name]) => FETCH_VARIABLES.test(name));
  return {
    ...Object.fromEntries(own),
    ...contract.environment,
    GOOS: contract.goos,
    GOARCH: contract.goarch,
    GOROOT: contract.paths.goRoot,
    GOMODCACHE: contract.paths.goModCache,
    GOCACHE: contract.paths.goBuildCache,
    GOTOOLCHAIN: "local",
    GOENV: "off",
    GOFLAGS: contract.environment.GOFLAGS ?? "",
    // The dates of Go's files, as this zone tells them, are in the keys of its indexes; an image is in this one.
    TZ: "UTC",
    PATH: `${contract.paths.goRoot}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${process.env.PATH ?? ""}`,
  };
}

/** Whether nothing has to be mounted for a command that may write to the caches and reach the network. */
function standInPlace({ goRoot, goModCache, goBuildCache }: GoMounts): boolean {
  const { goRoot: root, goModCache: modules, goBuildCache: build } = IMAGE_PATHS;
  return goRoot === root && goModCache === modules && goBuildCache === build;
}

/** What the mount script is told; the command itself does not see it. */
function mountEnvironment({ goRoot, goModCache, goBuildCache }: GoMounts): NodeJS.ProcessEnv {
  return { KILN_GOROOT: goRoot, KILN_GOMODCACHE: goModCache, KILN_GOCACHE: goBuildCache };
}

/**
 * Binds the caches over a private /var/cache, and Go over /usr/local/go, unless they stand there already; to discard
 * writes, an overlay whose upper half is memory takes the place of the bind.
 */
const MOUNT_SCRIPT = `
bind() {
  if [ -n "$KILN_DISCARD" ]; then
    mkdir "/var/cache/.upper-$2" "/var/cache/.work-$2"
    mount -t overlay -o "lowerdir=/proc/self/fd/$1,upperdir=/var/cache/.upper-$2,workdir=/var/cache/.work-$2" overlay "$3"
  else
    mount --bind "/proc/self/fd/$1" "$3"
  fi
}
if [ -n "$KILN_DISCARD" ] || [ "$KILN_GOMODCACHE" != ${IMAGE_PATHS.goModCache} ] || [ "$KILN_GOCACHE" != ${IMAGE_PATHS.goBuildCache} ]; then
  cwd=$(pwd)
  exec 3<"$KILN_GOMODCACHE" 4<"$KILN_GOCACHE"
  mount -t tmpfs -o mode=0755 tmpfs /var/cache
  mkdir ${IMAGE_PATHS.goModCache} ${IMAGE_PATHS.goBuildCache}
  bind 3 mod ${IMAGE_PATHS.goModCache}
  bind 4 build ${IMAGE_PATHS.goBuildCache}
  exec 3<&- 4<&-
  cd "$cwd"
fi
if [ "$KILN_GOROOT" != ${IMAGE_PATHS.goRoot} ]; then
  if [ ! -d ${IMAGE_PATHS.goRoot} ]; then
    exec 3<"$KILN_GOROOT"
    mount -t tmpfs -o mode=0755 tmpfs /usr/local
    mkdir ${IMAGE_PATHS.goRoot}
    mount --bind /proc/self/fd/3 ${IMAGE_PATHS.goRoot}
    exec 3<&-
  else
    mount --bind "$KILN_GOROOT" ${IMAGE_PATHS.goRoot}
  fi
fi
unset KILN_DISCARD KILN_GOROOT KILN_GOMODCACHE KILN_GOCACHE
exec "$@"`;
