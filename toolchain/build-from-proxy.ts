import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { GoModule } from "./pins.ts";
import { run } from "./process.ts";

/** The module file of a throw-away module that names the tool: it builds where a proxy refuses the probes of `go install`. */
export function goModText(recipe: GoModule, goVersion: string): string {
  return [
    "module kiln.invalid/tool",
    `go ${goVersion}`,
    `require ${recipe.module} ${recipe.version}`,
    `tool ${recipe.package}`,
    ...(recipe.replace ?? []).map((line) => `replace ${line}`),
    "",
  ].join("\n\n");
}

/** The environment in which tools are built: static, this toolchain only, checksums always looked up. */
export function buildEnvironment(env: NodeJS.ProcessEnv, goRoot: string): NodeJS.ProcessEnv {
  const rest = { ...env };
  for (const name of ["GOROOT", "GOOS", "GOARCH", "GOWORK", "GOEXPERIMENT", "GONOSUMCHECK"]) {
    Reflect.deleteProperty(rest, name);
  }
  return {
    ...rest,
    PATH: `${path.join(goRoot, "bin")}${path.delimiter}${env.PATH ?? ""}`,
    CGO_ENABLED: "0",
    GO111MODULE: "on",
    GOFLAGS: "-mod=mod",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    GOSUMDB: env.GOSUMDB === undefined || env.GOSUMDB === "off" ? "sum.golang.org" : env.GOSUMDB,
  };
}

/** Builds a tool from its pinned Go module into `binary`, in the empty directory `scratch`. */
export async function buildFromProxy(
  recipe: GoModule,
  go: { readonly root: string; readonly version: string },
  to: { readonly scratch: string; readonly binary: string },
  { progress, env }: { readonly progress: Progress; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  await mkdir(to.scratch, { recursive: true });
  await writeFile(path.join(to.scratch, "go.mod"), goModText(recipe, go.version));
  const command = path.join(go.root, "bin/go");
  const options = { cwd: to.scratch, env: buildEnvironment(env, go.root) };
  const set = Object.entries(recipe.set ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const ldflags = ["-s", "-w", ...set].join(" ");
  try {
    progress.step(`fetching the modules of ${recipe.package} ${recipe.version}`);
    await run(command, ["mod", "tidy"], options);
    progress.step(`building ${recipe.package} ${recipe.version} (some minutes, once)`);
    await run(command, ["build", "-trimpath", "-ldflags", ldflags, "-o", to.binary, recipe.package], options);
  } catch (cause) {
    if (cause instanceof KilnError && cause.kind === "interrupted") throw cause;
    throw new KilnError(
      "unreachable",
      `cannot build ${recipe.package} ${recipe.version} from the Go module proxy: ${messageOf(cause)}`,
      {
        cause,
        mend: "allow this machine to reach its Go module proxy (`go env GOPROXY`), or install the tool on PATH",
      },
    );
  }
}
