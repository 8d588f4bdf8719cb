import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../../errors.ts";
import type { ContainerEngine } from "../../execution/offline-container.ts";
import { GO_STAND_INS } from "../../toolchain/plugins/go-stand-ins.ts";
import { run } from "../../toolchain/process.ts";
import { pluginFolder, pluginLabel } from "../../cache/plugins/plugin.ts";
import { parsePreview, type PreviewMarks, type TimedLine } from "./events.ts";
import { IMAGE_PLUGINS_SCRIPT, parseImagePlugins, requiredModules } from "./plugins.ts";
import { PREVIEW_STACK, writePreviewStack } from "./project.ts";
import type { Program } from "../../cache/programs.ts";
import { withStagedSource } from "../../cache/staged-source.ts";

/** How long one program's first preview took in a fresh container of an image. */
export interface FirstPreview extends PreviewMarks {
  readonly directory: string;
  readonly provider: string;
  /** Plugins that the image lacks and that a stand-in took the place of: `pulumi-language-go`, `aws@7.12.0`. */
  readonly standIns: readonly string[];
  /** Modules that go.mod requires and Go cannot find in the image: Pulumi would download each. */
  readonly missingModules: readonly string[];
}

export interface FirstPreviewOptions {
  readonly engine: ContainerEngine;
  readonly image: string;
  readonly source: string;
  /** The folder of toolchain/plugins/go-stand-ins.ts. */
  readonly standIns: string;
  /** Configuration values by plain key, instead of invented ones. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Variables that differ from the image's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

const STAND_INS = "/opt/kiln-stand-ins";
const WORKSPACE = "/workspace/preview";
const CLEAN_UP_MS = 30_000;

/** What a runner does in a fresh container: a backend, a stack, the preview. Arguments: the program, then plugins. */
const PREVIEW_SCRIPT = `
echo "kiln-preview started"
plugins=\${PULUMI_HOME:-$HOME/.pulumi}/plugins
cd "$1"; shift
for plugin; do
  name=\${plugin#resource-}
  mkdir -p "$plugins/$plugin"
  ln -s ${STAND_INS}/${GO_STAND_INS.provider} "$plugins/$plugin/pulumi-resource-\${name%-v*}"
done
mkdir /tmp/kiln-state
export PULUMI_BACKEND_URL=file:///tmp/kiln-state PULUMI_CONFIG_PASSPHRASE="" PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true
pulumi stack init ${PREVIEW_STACK} --non-interactive > /dev/null
echo "kiln-preview ready"
code=0
pulumi preview --stack ${PREVIEW_STACK} --non-interactive --json || code=$?
echo "kiln-preview ended $code"`;

/**
 * Previews an unmodified program in a fresh container of an image: no network, the default user and the image's own
 * environment, the source mounted read-only at a path that warming never saw. A proxy inside records what anything tried
 * to reach. Plugins that the image has are used; for each that it lacks a stand-in is mounted. Times count from the call
 * of `docker run`.
 */
export async function firstPreview(options: FirstPreviewOptions, program: Program): Promise<FirstPreview> {
  const { engine, image } = options;
  const { directory, provider } = program;
  return withStagedSource(options.source, [program], async ({ root, inside }) => {
    const staged = path.join(root, inside, directory);
    await writePreviewStack(staged, options.config);
    const target = path.posix.join(WORKSPACE, inside, directory);
    const modules = requiredModules(await readFile(path.join(root, inside, program.goModule, "go.mod"), "utf8"));
    const mounts = [mount(root, WORKSPACE), mount(options.standIns, STAND_INS)];
    const survey = ["-euc", IMAGE_PLUGINS_SCRIPT, "sh", target, ...modules];
    const found = parseImagePlugins((await runOnce(engine, image, mounts, survey)).stdout);

    const lacking = found.needed.filter((plugin) => !found.baked.includes(pluginFolder(plugin)));
    const host = path.join(options.standIns, GO_STAND_INS.languageHost);
    const flags = [
      ...mounts,
      ...(found.hasLanguageHost ? [] : [mount(host, `/usr/local/bin/${GO_STAND_INS.languageHost}`)]),
      ...Object.entries(options.environment ?? {}).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ];
    const marks = await timedPreview(engine, image, flags, [target, ...lacking.map(pluginFolder)]);
    const standIns = [...(found.hasLanguageHost ? [] : [GO_STAND_INS.languageHost]), ...lacking.map(pluginLabel)];
    return { directory, provider, standIns, missingModules: found.missingModules, ...marks };
  });
}

async function timedPreview(
  engine: ContainerEngine,
  image: string,
  flags: readonly string[],
  args: readonly string[],
): Promise<PreviewMarks> {
  const lines: TimedLine[] = [];
  const start = performance.now();
  const onStdoutLine = (line: string) => {
    lines.push({ seconds: (performance.now() - start) / 1_000, line });
  };
  const entrypoint = `${STAND_INS}/${GO_STAND_INS.recorder}`;
  const command = ["/bin/sh", "-euc", PREVIEW_SCRIPT, "sh", ...args];
  const { stderr } = await runOnce(engine, image, flags, command, { entrypoint, onStdoutLine, allowFailure: true });
  return parsePreview(lines, stderr);
}

/** Runs a command in a fresh container without network and removes it, also after Ctrl-C, which ends only the client. */
async function runOnce(
  engine: ContainerEngine,
  image: string,
  flags: readonly string[],
  args: readonly string[],
  {
    entrypoint = "/bin/sh",
    ...options
  }: { entrypoint?: string; onStdoutLine?: (line: string) => void; allowFailure?: boolean } = {},
) {
  const { docker, env } = engine;
  const name = `kiln-preview-${randomUUID()}`;
  const fixed = ["run", "--rm", "--name", name, "--network", "none", "--entrypoint", entrypoint];
  try {
    return await run(docker, [...fixed, ...flags, image, ...args], { env, ...options });
  } catch (error) {
    const signal = AbortSignal.timeout(CLEAN_UP_MS);
    await run(docker, ["rm", "--force", name], { env, allowFailure: true, signal });
    throw error;
  }
}

function mount(source: string, target: string): string {
  return `--mount=type=bind,source=${source},target=${target},readonly`;
}

/** The first program of each provider by name, in the order of the programs. Throws where there is none. */
export function oneOfEachProvider(programs: readonly Program[]): readonly Program[] {
  const first = new Map<string, Program>();
  for (const program of programs) {
    const known = first.get(program.provider);
    if (known === undefined || program.directory < known.directory) first.set(program.provider, program);
  }
  if (first.size === 0) throw new KilnError("usage", "no program to preview", { mend: "Correct --modules." });
  return [...first.values()];
}
