import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildContract } from "../cache/contract.ts";
import type { Program } from "../cache/programs.ts";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { lastLines, run } from "../toolchain/process.ts";
import { goModulesOf, type Selection } from "./selection.ts";

/**
 * The environment in which every method gets modules: from the folder that `fetchModules` filled, and from nowhere else, so
 * that no figure has the network in it. Checksums are those of go.sum.
 */
export function proxyEnvironment(work: string): Readonly<Record<string, string>> {
  return {
    GOPROXY: `${pathToFileURL(path.join(work, "modules/cache/download")).href},off`,
    GOSUMDB: "off",
    GOPRIVATE: "",
    GONOPROXY: "none",
    GONOSUMDB: "*",
  };
}

export interface FetchedModules {
  readonly seconds: number;
  /** Modules that go.mod files require and that could not be had: no method has them. */
  readonly missing: readonly string[];
}

/**
 * Fetches once, with the caller's own Go settings, all modules that builds of the programs may ask for: what their go.mod
 * files require and what they import with and without cgo. Throws where a program's packages cannot be had.
 */
export async function fetchModules(
  { source, programs }: Selection,
  options: {
    readonly work: string;
    readonly goRoot: string;
    readonly contract: BuildContract;
    readonly progress: Progress;
  },
): Promise<FetchedModules> {
  const start = performance.now();
  const modules = path.join(options.work, "modules");
  await mkdir(modules, { recursive: true });
  const go = path.join(options.goRoot, "bin/go");
  const own = { GOMODCACHE: modules, GOTOOLCHAIN: "local", GOFLAGS: "-modcacherw" };
  const missing = new Set<string>();
  const goModules = goModulesOf(programs);
  for (const [index, goModule] of goModules.entries()) {
    const cwd = path.join(source, goModule);
    options.progress.update(`fetching modules of ${goModule}`, index, goModules.length);
    const env = { ...process.env, ...own };
    const downloaded = await run(go, ["mod", "download", "-json"], { cwd, env, allowFailure: true });
    for (const module of failedModules(downloaded.stdout)) missing.add(module);
    // Pulumi asks for the version data of every requirement, and Go's graph loading for go.mod files of others.
    await run(go, ["list", "-m", "-json", "all"], { cwd, env, allowFailure: true });
    const names = programs.filter((program) => program.goModule === goModule).map(packageOf);
    for (const cgo of ["0", "1"]) {
      const settings = { ...env, CGO_ENABLED: cgo, GOOS: options.contract.goos, GOARCH: options.contract.goarch };
      const listed = await run(go, ["list", "-e", "-deps", ...names], { cwd, env: settings, allowFailure: true });
      if (listed.code === 0) continue;
      throw new KilnError(
        "unreachable",
        `the modules of ${goModule} cannot be fetched: ${lastLines(listed.stderr, 4)}`,
        {
          mend: "Let this machine reach its module proxy (`go env GOPROXY`), then run the same command again.",
        },
      );
    }
  }
  return { seconds: (performance.now() - start) / 1000, missing: [...missing].sort() };
}

/** A program's package, as Go takes it in the directory of the go.mod that governs it. */
export function packageOf({ directory, goModule }: Pick<Program, "directory" | "goModule">): string {
  return `./${path.posix.relative(goModule, directory)}`;
}

/** The modules with an error in what `go mod download -json` printed: JSON documents, one after the other. */
export function failedModules(printed: string): readonly string[] {
  return printed
    .split(/^(?=\{)/m)
    .filter((text) => text.trim() !== "")
    .map((text) => JSON.parse(text) as { Path?: string; Version?: string; Error?: string })
    .filter(({ Error: error }) => error !== undefined)
    .map(({ Path = "", Version = "" }) => `${Path}@${Version}`);
}
