import { chmod, cp, mkdir, realpath, writeFile } from "node:fs/promises";
import path from "node:path";
import { readyToolsImage } from "../../cache/base.ts";
import { silent } from "../../progress.ts";
import { readyBaseImage } from "../../toolchain/base-image.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import { findExecutable } from "../../toolchain/executables.ts";
import { DEFAULT_BASE_IMAGE } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import { run } from "../../toolchain/process.ts";
import { resolveTool, resolveTools } from "../../toolchain/resolve.ts";
import { PROJECT } from "./checkout.ts";

/**
 * The job of a stand-in runner, as its just-in-time configuration: what GitHub would send, encoded as the controller hands
 * it to a pod in ACTIONS_RUNNER_INPUT_JITCONFIG.
 */
export function jitConfigOf(script: string): string {
  return Buffer.from(script).toString("base64");
}

/** A Dockerfile of what looks like a runner release: its user, groups and files, and a run.sh that runs one job, a script. */
export function standInRunner({ base, version }: { readonly base: string; readonly version: string }): string {
  const file = (name: string, lines: readonly string[]) =>
    `printf '%s\\n' ${lines.map((line) => `'${line.replaceAll("'", `'\\''`)}'`).join(" ")} > ${name} && chmod 755 ${name}`;
  const runScript = [
    "#!/bin/bash",
    '[ "$(id -u)" = 1001 ] || { echo "Must not run with sudo" >&2; exit 1; }',
    'exec bash -euc "$(printf %s "$ACTIONS_RUNNER_INPUT_JITCONFIG" | base64 -d)"',
  ];
  return [
    `FROM ${base}`,
    "RUN groupadd --gid 123 docker && useradd --uid 1001 --create-home --shell /bin/bash --groups docker runner",
    "WORKDIR /home/runner",
    `RUN mkdir bin && ${file("bin/Runner.Listener", ["#!/bin/sh", `echo ${version}`])} && ${file("run.sh", runScript)}`,
    "USER runner",
    "",
  ].join("\n");
}

/**
 * Fills the build context of an image that holds the tools of images/actions-runner at their places: those in `toolsImage`
 * (Go, Pulumi, OpenTofu), and this machine's Node, npm and registry client.
 */
export async function writeRunnerTools(toolsImage: string, context: string): Promise<void> {
  const [bin, modules] = [path.join(context, "bin"), path.join(context, "lib/node_modules")];
  await mkdir(bin);
  await mkdir(modules, { recursive: true });
  // /usr/lib/node_modules/npm/bin/npm-cli.js, wherever the link on PATH leads to.
  const npm = path.resolve(await realpath((await findExecutable("npm", process.env)) ?? ""), "../..");
  const { path: regctl } = await resolveTool("regctl", { places: places(), progress: silent });
  await cp(npm, path.join(modules, "npm"), { recursive: true, dereference: true });
  for (const [name, from] of Object.entries({ node: process.execPath, regctl })) {
    await cp(from, path.join(bin, name), { dereference: true });
    await chmod(path.join(bin, name), 0o755);
  }
  const links = ["npm", "npx"].map((name) => `ln -s ../lib/node_modules/npm/bin/${name}-cli.js bin/${name}`);
  await run("sh", ["-euc", links.join("; ")], { cwd: context });
  await writeFile(
    path.join(context, "Dockerfile"),
    `FROM ${toolsImage}\nCOPY bin /usr/local/bin\nCOPY lib /usr/local/lib\n`,
  );
}

/** Builds images/actions-runner upon stand-ins as `tag`, with contexts in a folder; gives the names of all that was built. */
export async function buildStandInRunner(engine: Engine, folder: string, tag: string): Promise<readonly string[]> {
  const at = { places: places(), progress: silent };
  const base = await readyBaseImage({ ...at, engine, reference: DEFAULT_BASE_IMAGE, platform: ownPlatform() });
  const tools = await resolveTools(["go", "pulumi", "opentofu"], at);
  const [toolsContext, releaseContext] = [path.join(folder, "tools"), path.join(folder, "release")];
  for (const context of [toolsContext, releaseContext]) await mkdir(context, { recursive: true });
  await writeRunnerTools(await readyToolsImage(places(), engine, tools, ownPlatform()), toolsContext);
  const release = standInRunner({ base: base.reference, version: "2.337.0" });
  await writeFile(path.join(releaseContext, "Dockerfile"), release);
  const parts = { TOOLS_IMAGE: `${tag}-tools`, ACTIONS_RUNNER_IMAGE: `${tag}-release` };
  const build = (args: readonly string[]) => run(engine.docker, ["build", ...args], { env: engineEnvironment(engine) });
  await build(["--tag", parts.TOOLS_IMAGE, toolsContext]);
  await build(["--tag", parts.ACTIONS_RUNNER_IMAGE, releaseContext]);
  const stated = Object.entries(parts).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  await build([...stated, "--tag", tag, path.join(PROJECT, "images/actions-runner")]);
  return [tag, ...Object.values(parts)];
}
