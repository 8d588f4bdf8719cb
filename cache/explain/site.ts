import path from "node:path";
import { KilnError } from "../../errors.ts";
import { runOffline, type ContainerEngine } from "../../execution/offline-container.ts";
import type { Progress } from "../../progress.ts";
import { parseInputsLines, INPUTS_FOLDER, type BuildInputs } from "./build-inputs.ts";
import { decidingFlags, readCallerSettings, type CallerSetting } from "./caller-settings.ts";
import { pulumiBuildFlags, type BuildContract } from "../contract.ts";
import type { PresentBuild, WarmedCache } from "./explain.ts";
import { mountedGo } from "./listed-build.ts";
import type { CacheManifest } from "../manifest.ts";
import { goWorkOf } from "../source-files.ts";
import type { StagedSource } from "../staged-source.ts";
import { mountsOf } from "../warm.ts";
import { verifyCache, verifyImage } from "../verify.ts";

/** A build from a cache directory as this kiln, and the settings of the person who runs it, would make it. */
export async function cacheBuild(options: {
  readonly cache: string;
  readonly manifest: CacheManifest;
  readonly goRoot: string;
  readonly contract: BuildContract;
  readonly source: string;
  readonly directory: string;
  readonly progress: Progress;
}): Promise<PresentBuild> {
  const { cache, manifest, goRoot, source, directory, progress } = options;
  const settings = await readCallerSettings(goRoot, path.join(source, directory));
  const contract = withSettings(options.contract, manifest.contract, settings, await goWorkOf(source, directory));
  const mounts = mountsOf({ contract }, goRoot, cache);
  return {
    contract,
    site: await mountedGo(mounts, source, { offline: true, discardWrites: true }),
    telling: { builder: "this kiln", settings, again: "warm again", instead: "use the kiln that warmed it" },
    verify: (program) => verifyCache(mounts, source, [program], progress),
  };
}

/**
 * A contract with what a person's own settings make of it. Tags that were chosen at warming stay, unless GOFLAGS has
 * flags of its own that decide; a GOWORK that names the go.work that counts anyway is none.
 */
export function withSettings(
  own: BuildContract,
  warmed: BuildContract,
  settings: readonly CallerSetting[],
  goWork: string | undefined,
): BuildContract {
  const set = new Map(settings.map(({ name, value }) => [name, value]));
  const { GOFLAGS: chosen } = warmed.environment;
  const environment: Record<string, string> = { ...own.environment };
  if (chosen !== undefined) environment.GOFLAGS = chosen;
  for (const [name, value] of set) {
    if (name === "GOOS" || name === "GOARCH") continue;
    const same = name === "GOWORK" && (value === "off" ? goWork === undefined : value.endsWith(`/${goWork ?? ""}`));
    const deciding = name === "GOFLAGS" ? decidingFlags(value, own) : value;
    if (!same && deciding !== "") environment[name] = deciding;
  }
  return { ...own, goos: set.get("GOOS") ?? own.goos, goarch: set.get("GOARCH") ?? own.goarch, environment };
}

/** What a container prints of an image: what it was warmed from, Go's settings there, and its Pulumi. */
const PROBE = `
echo kiln-inputs; cat ${INPUTS_FOLDER}/*.json 2>/dev/null || true
cd "$1"
echo kiln-go; go env -json
echo kiln-pulumi; pulumi version 2>/dev/null || true`;

/** Runs `go` where its exit code is told at the end of what it prints. */
const GO = `cd "$1"; shift; code=0; go "$@" || code=$?; echo "kiln-exit $code"`;

const ELSEWHERE = "/workspace/elsewhere";

/** What an image says of its warming, and a build inside it as its default user would make it. */
export async function imageBuild(options: {
  readonly engine: ContainerEngine;
  readonly image: string;
  /** The contract that its label tells, or else this kiln's. */
  readonly contract: BuildContract;
  /** Directories of programs that its label tells. */
  readonly modules: readonly string[];
  readonly source: string;
  readonly staged: StagedSource;
  readonly directory: string;
  readonly progress: Progress;
}): Promise<{ readonly warmed: WarmedCache; readonly present: PresentBuild }> {
  const { engine, image, contract: warmed, modules, source, staged, directory, progress } = options;
  const root = path.posix.join(ELSEWHERE, staged.inside);
  const inside = async (script: string, folder: string, args: readonly string[] = []) =>
    runOffline(engine, {
      image,
      command: ["/bin/sh", "-euc", script, "sh", path.posix.join(root, folder), ...args],
      copy: { from: staged.root, to: ELSEWHERE },
    });
  const { inputs, contract } = parseProbe((await inside(PROBE, directory)).stdout, warmed);
  return {
    warmed: { contract: warmed, modules: inputs === undefined ? modules : programsOf(inputs), failed: {}, inputs },
    present: {
      contract,
      telling: { builder: "the image", settings: [], again: "bake again", instead: "set it in the image as it was" },
      site: {
        root,
        go: async (args, folder) => {
          const { stdout, stderr } = await inside(GO, folder, args);
          const end = /kiln-exit (\d+)\n$/.exec(stdout);
          if (!end) throw new KilnError("failed", `go in ${image} broke off: ${stderr.trim()}`);
          return { code: Number(end[1]), stdout: stdout.slice(0, end.index), stderr };
        },
      },
      verify: (program) => verifyImage(engine, image, contract, source, [program], progress),
    },
  };
}

function programsOf(inputs: Readonly<Record<string, BuildInputs>>): readonly string[] {
  return Object.values(inputs).flatMap(({ programs }) => Object.keys(programs));
}

/** Reads what the probe printed: the inputs that an image carries, if any, and the contract under which it builds. */
export function parseProbe(
  text: string,
  warmed: BuildContract,
): { readonly inputs: Readonly<Record<string, BuildInputs>> | undefined; readonly contract: BuildContract } {
  const [, recorded = "", env = "{}", pulumi = ""] =
    /kiln-inputs\n([^]*?)kiln-go\n([^]*?)kiln-pulumi\n([^]*)$/.exec(text) ?? [];
  const inputs = parseInputsLines(recorded);
  const go = JSON.parse(env) as Readonly<Record<string, string | undefined>>;
  const flags = /^v?\d+\.\d+\.\d+/.test(pulumi.trim()) ? pulumiBuildFlags(pulumi.trim()) : warmed.flags;
  const environment = Object.fromEntries(
    Object.entries(warmed.environment).map(([name, value]) => [name, go[name] ?? value]),
  );
  const goFlags = decidingFlags(go.GOFLAGS ?? "", { flags });
  if (goFlags !== "") environment.GOFLAGS = goFlags;
  else delete environment.GOFLAGS;
  return {
    inputs: Object.keys(inputs).length > 0 ? inputs : undefined,
    contract: {
      goVersion: go.GOVERSION ?? warmed.goVersion,
      goos: go.GOOS ?? warmed.goos,
      goarch: go.GOARCH ?? warmed.goarch,
      environment,
      flags,
      paths: {
        goRoot: go.GOROOT ?? warmed.paths.goRoot,
        goModCache: go.GOMODCACHE ?? warmed.paths.goModCache,
        goBuildCache: go.GOCACHE ?? warmed.paths.goBuildCache,
      },
    },
  };
}
