import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { networkMend } from "./network.mjs";
import { platformName, type GoModule } from "./pins.ts";
import { run, type RunOptions } from "./process.ts";

/**
 * The module file of a throw-away module that names the tool: it builds where a proxy refuses the probes of `go install`.
 * `beside` are the modules that the recipe's `staging` gives a version.
 */
export function goModText(recipe: GoModule, goVersion: string, beside: readonly string[] = []): string {
  const staged = recipe.staging === undefined ? [] : beside.map((module) => `${module} => ${module} ${recipe.staging}`);
  return [
    "module kiln.invalid/tool",
    `go ${goVersion}`,
    `require ${recipe.module} ${recipe.version}`,
    `tool ${recipe.package}`,
    ...[...(recipe.replace ?? []), ...staged].map((line) => `replace ${line}`),
    "",
  ].join("\n\n");
}

/**
 * The environment in which tools are built: static, this toolchain only, checksums always looked up. `platform`, such as
 * `linux-arm64`, is what they shall run on.
 */
export function buildEnvironment(env: NodeJS.ProcessEnv, goRoot: string, platform = platformName()): NodeJS.ProcessEnv {
  const [GOOS, GOARCH] = platform.split("-");
  const rest = { ...env };
  for (const name of ["GOROOT", "GOOS", "GOARCH", "GOWORK", "GOEXPERIMENT", "GONOSUMCHECK"]) {
    Reflect.deleteProperty(rest, name);
  }
  return {
    ...rest,
    GOOS,
    GOARCH,
    PATH: `${path.join(goRoot, "bin")}${path.delimiter}${env.PATH ?? ""}`,
    CGO_ENABLED: "0",
    GO111MODULE: "on",
    GOFLAGS: "-mod=mod",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    GOSUMDB: env.GOSUMDB === undefined || env.GOSUMDB === "off" ? "sum.golang.org" : env.GOSUMDB,
  };
}

/** The modules that a go.mod, as `go mod edit -json` prints it, requires as v0.0.0: there is no such version. */
export function unversionedModules(goMod: string): readonly string[] {
  const { Require = [] } = JSON.parse(goMod) as {
    Require?: readonly { readonly Path: string; readonly Version: string }[];
  };
  return Require.filter(({ Version }) => Version === "v0.0.0").map(({ Path }) => Path);
}

/** The arguments of the `go` that builds a tool into `binary`. */
export function buildArguments(recipe: GoModule, binary: string): readonly string[] {
  const set = Object.entries(recipe.set ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const tags = recipe.tags === undefined ? [] : ["-tags", recipe.tags.join(",")];
  return ["build", "-trimpath", ...tags, "-ldflags", ["-s", "-w", ...set].join(" "), "-o", binary, recipe.package];
}

/** Builds a tool from its pinned Go module into `binary`, in the empty directory `scratch`. */
export async function buildFromProxy(
  recipe: GoModule,
  go: { readonly root: string; readonly version: string },
  to: { readonly scratch: string; readonly binary: string },
  options: { readonly progress: Progress; readonly env: NodeJS.ProcessEnv; readonly platform?: string },
): Promise<void> {
  await mkdir(to.scratch, { recursive: true });
  const command = path.join(go.root, "bin/go");
  const { progress } = options;
  const inScratch = { cwd: to.scratch, env: buildEnvironment(options.env, go.root, options.platform) };
  try {
    progress.step(`fetching the modules of ${recipe.package} ${recipe.version}`);
    const beside = recipe.staging === undefined ? [] : await modulesBeside(recipe, command, inScratch);
    await writeFile(path.join(to.scratch, "go.mod"), goModText(recipe, go.version, beside));
    await run(command, ["mod", "tidy"], inScratch);
    progress.step(`building ${recipe.package} ${recipe.version} (some minutes, once)`);
    await run(command, buildArguments(recipe, to.binary), inScratch);
  } catch (cause) {
    if (cause instanceof KilnError && cause.kind === "interrupted") throw cause;
    const said = messageOf(cause);
    const message = `cannot build ${recipe.package} ${recipe.version} from the Go module proxy: ${said}`;
    const mend =
      networkMend(said) ??
      "allow this machine to reach its Go module proxy (`go env GOPROXY`), or install the tool on PATH";
    throw new KilnError("unreachable", message, { cause, mend });
  }
}

async function modulesBeside(recipe: GoModule, go: string, inScratch: RunOptions): Promise<readonly string[]> {
  const query = `${recipe.module}@${recipe.version}`;
  const { stdout } = await run(go, ["mod", "download", "-json", query], inScratch);
  const { GoMod: file } = JSON.parse(stdout) as { readonly GoMod: string };
  return unversionedModules((await run(go, ["mod", "edit", "-json", file], inScratch)).stdout);
}
