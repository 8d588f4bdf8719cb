import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import { run, type RunOptions, type RunResult } from "../../toolchain/process.ts";
import { IMAGE_PATHS, type BuildContract } from "../contract.ts";
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
  /** Cuts the command off from every network: what is not in the caches cannot be had. */
  readonly offline?: boolean;
  /** Leaves the caches as they are: what the command writes to them is gone when it ends. */
  readonly discardWrites?: boolean;
}

/** Go settings that only say how modules are fetched, from the environment or `go env -w`; none enters an action ID. */
const FETCH_SETTINGS = ["GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE", "GOVCS", "GOAUTH"];

/** Variables of the caller that fetching needs besides. */
const FETCH_VARIABLES = /^(NETRC|SSH_AUTH_SOCK|GIT_.*|SSL_CERT_.*|https?_proxy|no_proxy)$/i;

/** Runs `go` with these arguments as `runMounted` does. */
export function runGo(mounts: GoMounts, args: readonly string[], options: MountedRunOptions): Promise<RunResult> {
  return runMounted(mounts, [`${IMAGE_PATHS.goRoot}/bin/go`, ...args], options);
}

/**
 * Runs a command in a mount namespace of its own, in which the caches and Go stand at the paths that they have in the
 * image, with nothing of the caller's Go settings: so module index entries, keyed by absolute path, are the image's too.
 * Linux only; without root it needs unprivileged user namespaces.
 */
export async function runMounted(
  mounts: GoMounts,
  command: readonly string[],
  options: MountedRunOptions,
): Promise<RunResult> {
  if (process.platform !== "linux") {
    throw new KilnError("unreachable", "caches are warmed in Linux namespaces, which this system does not have", {
      mend: "Run kiln on Linux, in a Linux container or virtual machine, or let a runner bake.",
    });
  }
  await Promise.all([mounts.goModCache, mounts.goBuildCache].map((folder) => mkdir(folder, { recursive: true })));
  const home = await makeHome();
  const { offline = false, discardWrites = false, ...rest } = options;
  try {
    return await run("unshare", [...namespaceFlags(offline), "--", "/bin/sh", "-euc", MOUNT_SCRIPT, "sh", ...command], {
      ...rest,
      env: {
        ...(await readFetchSettings(mounts.goRoot)),
        ...goEnvironment(mounts, home),
        KILN_DISCARD: discardWrites ? "1" : "",
      },
    });
  } catch (error) {
    if (error instanceof KilnError && /unshare: .*(not permitted|denied)/i.test(error.message)) {
      throw new KilnError("unreachable", "this machine forbids the namespaces that put caches at the image's paths", {
        mend: "Run as root, or allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1; on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0).",
        cause: error,
      });
    }
    throw error;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/**
 * A home for one Go command. Telemetry is off in it: the process that gathers it outlives the command, and would make the
 * folder anew after it is gone.
 */
async function makeHome(): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "kiln-go-"));
  const telemetry = path.join(home, ".config/go/telemetry");
  await mkdir(telemetry, { recursive: true });
  await writeFile(path.join(telemetry, "mode"), "off");
  return home;
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
  return { ...(await readLogins(homedir())), ...Object.fromEntries(settings.filter(([, value]) => value !== "")) };
}

/**
 * Where a person's logins for private modules are, said in variables: a warming Go has a home of its own, so that nothing
 * else of theirs decides what it does. Git and Go read them there; kiln does not.
 */
async function readLogins(home: string): Promise<NodeJS.ProcessEnv> {
  const files = { NETRC: ".netrc", GIT_CONFIG_GLOBAL: ".gitconfig" };
  const logins: NodeJS.ProcessEnv = { GIT_TERMINAL_PROMPT: "0" };
  for (const [name, file] of Object.entries(files)) {
    if (await isFile(path.join(home, file))) logins[name] = path.join(home, file);
  }
  // In a user namespace SSH takes itself for root, and would look for its keys in root's home.
  if (process.getuid?.() !== 0 && (await isFile(path.join(home, ".ssh/known_hosts")))) {
    logins.GIT_SSH_COMMAND = `ssh -o UserKnownHostsFile='${home}/.ssh/known_hosts' -o BatchMode=yes`;
  }
  return logins;
}

function namespaceFlags(offline: boolean): readonly string[] {
  return ["--mount", ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]), ...(offline ? ["--net"] : [])];
}

/** The environment of a warming Go: the contract, the image's paths, how to fetch, and nothing else. */
function goEnvironment(mounts: GoMounts, home: string): NodeJS.ProcessEnv {
  const { contract } = mounts;
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => FETCH_VARIABLES.test(name))),
    ...contract.environment,
    GOOS: contract.goos,
    GOARCH: contract.goarch,
    GOROOT: contract.paths.goRoot,
    GOMODCACHE: contract.paths.goModCache,
    GOCACHE: contract.paths.goBuildCache,
    GOTOOLCHAIN: "local",
    GOENV: "off",
    GOFLAGS: contract.environment.GOFLAGS ?? "",
    PATH: `${contract.paths.goRoot}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: home,
    KILN_GOROOT: mounts.goRoot,
    KILN_GOMODCACHE: mounts.goModCache,
    KILN_GOCACHE: mounts.goBuildCache,
  };
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
