import path from "node:path";
import { EXIT, KilnError } from "../../errors.ts";
import { readyGocache } from "../../toolchain/gocache-program.ts";
import { places } from "../../toolchain/places.ts";
import { lastLines, run } from "../../toolchain/process.ts";
import { proxyEnvironment } from "../module-proxy.ts";
import { registryBytes } from "../registry.ts";
import type { StepContext } from "../step.ts";

/** What `kiln cache bake --json` says, as far as it is read. */
interface BakeDocument {
  readonly warmImage: string;
  readonly reused: boolean;
  readonly layers: readonly {
    readonly name: string;
    readonly digest: string;
    readonly size: number;
    readonly contentBytes?: number;
    readonly programBytes?: number;
  }[];
  readonly seconds: Readonly<Record<string, number>>;
}

/** A bake: wall seconds in all and of each phase, and what it left. */
export interface Baked {
  /** `repository@sha256:…`, without the registry's host. */
  readonly image: string;
  readonly wall: number;
  readonly seconds: Readonly<Record<string, number>>;
  readonly layers: readonly { readonly name: string; readonly digest: string; readonly size: number }[];
  /** Of finished programs in the layers, as they lie there. */
  readonly programBytes: number;
  /** What the registry has more of after it. */
  readonly pushedBytes: number;
}

export interface BakeRequest {
  /** The source, absolute. */
  readonly source: string;
  readonly store: string;
  /** Below `kiln-bench/`: bakes of one name find each other's layers. */
  readonly name: string;
  readonly more?: readonly string[];
  /** The kiln that bakes; this checkout's where it is not said. */
  readonly command?: string;
}

/** Runs `kiln cache bake` as a process of its own, on the modules that were fetched before. */
export async function bake(context: StepContext, request: BakeRequest): Promise<Baked> {
  const { work, selection, registry, goRoot, contract, progress } = context;
  // From the network that the caller has: bakes themselves have none.
  await readyGocache({ places: places(), goRoot, goarch: contract.goarch, progress });
  const home = path.join(work, "registry");
  const [before, start] = [await registryBytes(home), performance.now()];
  const args = [
    ...["cache", "bake", "--source", request.source, "--modules", selection.pattern],
    ...["--to", `${registry}/kiln-bench/${request.name}`, "--store", request.store],
    ...allowedFailures(context),
    ...(request.more ?? []),
  ];
  const { warmImage, reused, layers, seconds } = await kiln<BakeDocument>(context, args, {}, request.command);
  const wall = (performance.now() - start) / 1000;
  if (reused) throw new KilnError("failed", `${warmImage} was there already: nothing was baked`);
  return {
    image: warmImage.slice(registry.length + 1),
    wall,
    seconds,
    layers: layers.map(({ name, digest, size }) => ({ name, digest, size })),
    programBytes: layers.reduce((total, { programBytes = 0 }) => total + programBytes, 0),
    pushedBytes: (await registryBytes(home)) - before,
  };
}

const COMMAND = path.join(import.meta.dirname, "../../cli/kiln.mjs");

/** Runs a command of kiln's and returns what it printed as JSON. */
export async function kiln<T>(
  { work, progress }: StepContext,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  command: string = COMMAND,
): Promise<T> {
  const env = { ...process.env, ...proxyEnvironment(work), ...environment };
  let lines = 0;
  const onStderrLine = (line: string) => {
    progress.update(line.trim(), (lines += 1), 0);
  };
  const options = { env, onStderrLine, allowFailure: true };
  const { code, stdout, stderr } = await run(process.execPath, [command, ...args, "--json"], options);
  const what = `kiln ${args.slice(0, 2).join(" ")}`;
  const document = parsed(stdout);
  if (code === EXIT.done && document !== undefined) return document as T;
  const { error } = (document ?? {}) as { error?: { message?: string; mend?: string } };
  throw new KilnError("failed", `${what} exited with ${code}: ${error?.message ?? lastLines(stderr, 12)}`, {
    ...(error?.mend === undefined ? {} : { mend: error.mend }),
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The step whose result says which programs kiln could not compile. */
export const COLD_BAKE = "kiln/bake";

/** Programs that are known to fail: those that the caller names, and those that another step could not build. */
export function allowedFailures({ options, known }: StepContext): readonly string[] {
  const failed = known().flatMap(([id, result]) =>
    id.includes("/job ") || id === COLD_BAKE ? (result as { readonly failed: readonly string[] }).failed : [],
  );
  return [...new Set([...options.allowFailed, ...failed])].flatMap((glob) => ["--allow-failed", glob]);
}

/** The folder of kiln's own files in the work folder. */
export function kilnFolder(work: string, ...parts: readonly string[]): string {
  return path.join(work, "kiln", ...parts);
}
