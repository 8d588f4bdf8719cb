import { randomInt } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { CONTRACT_LABEL, MODULES_LABEL, parseContractLabel, type BuildContract } from "../../cache/contract.ts";
import type { CacheManifest } from "../../cache/manifest.ts";
import type { Program } from "../../cache/programs.ts";
import { recompile, type Recompilation, type RecompileOptions } from "../../cache/recompile.ts";
import { recompilationText } from "../../cache/recompile/text.ts";
import { parseShare, type Share } from "../../cache/recompile/sample.ts";
import { unpackImage } from "../../cache/registry-store/unpack-image.ts";
import { mountsOf } from "../../cache/warm.ts";
import { EXIT, KilnError } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { readImage } from "../../registry/compose.ts";
import { parseReference } from "../../registry/image-reference.ts";
import { readyGocache } from "../../toolchain/gocache-program.ts";
import { places } from "../../toolchain/places.ts";
import { ownPlatform } from "../../toolchain/platforms.ts";
import type { Invocation, Outcome } from "../command.ts";
import { optional } from "../options.ts";
import { registryClient, requireContract } from "./selection.ts";

/** Options of `kiln cache verify` that compile a cache again. */
export const RECOMPILE = { recompile: { type: "string" }, seed: { type: "string" } } as const;

export const RECOMPILE_HELP = {
  recompile: "all or a percentage: compile that much again and compare it with what is there",
  seed: "with a percentage, which entries: a run's seed repeats it (default: by chance)",
} as const;

/** What `--recompile` asks for. */
export interface RecompileRequest {
  readonly share: Share;
  readonly seed: number;
}

/** What `--recompile` and `--seed` ask for; undefined without `--recompile`. */
export function recompileRequest(values: Invocation["values"]): RecompileRequest | undefined {
  const [share, seed] = [optional(values, "recompile"), optional(values, "seed")];
  if (share === undefined && seed === undefined) return undefined;
  if (share === undefined || (seed !== undefined && !/^\d{1,15}$/.test(seed))) {
    throw new KilnError(
      "usage",
      share === undefined ? "--seed goes with --recompile" : `--seed ${seed ?? ""} is no seed`,
      {
        mend: "Write `--recompile PERCENT --seed N`, N with at most 15 digits.",
      },
    );
  }
  return { share: parseShare(share), seed: seed === undefined ? randomInt(2 ** 47) : Number(seed) };
}

/** What both kinds of cache need. */
export interface RecompiledWork {
  readonly request: RecompileRequest;
  readonly source: string;
  readonly programs: readonly Program[];
  readonly contract: BuildContract;
  readonly goRoot: string;
  readonly progress: Progress;
}

/** Compiles a cache directory again, in a folder beside it. */
export async function recompileDirectory(
  work: RecompiledWork,
  cache: string,
  manifest: CacheManifest,
): Promise<Outcome> {
  const links = new Map(
    Object.entries(manifest.programs).map(
      ([directory, { action }]) => [directory, path.basename(action, "-a")] as const,
    ),
  );
  return withScratch(path.dirname(cache), async (scratch) =>
    recompiled(
      cache,
      await recompile({
        ...common(work, cache, manifest.modules),
        ...{ mounts: mountsOf(work, work.goRoot, cache), work: scratch, links, wholeModules: true },
      }),
    ),
  );
}

/** Fetches an image's caches from its registry, and compiles them again. */
export async function recompileImage(work: RecompiledWork, name: string): Promise<Outcome> {
  const { progress, contract, goRoot } = work;
  const client = await registryClient(progress);
  const reference = parseReference(name);
  const image = await readImage(client, reference, `${contract.goos}/${contract.goarch}`);
  const labels = image.config.config?.Labels ?? {};
  requireContract(name, parseContractLabel(name, labels[CONTRACT_LABEL] ?? ""), contract);
  const modules = (labels[MODULES_LABEL] ?? "").split(",").filter((module) => module !== "");
  const gocache = () =>
    readyGocache({ places: places(), goRoot, goarch: ownPlatform().slice("linux/".length), progress });
  await mkdir(places().work, { recursive: true });
  return withScratch(places().work, async (scratch) => {
    progress.step(`fetching the caches of ${name}`);
    const into = path.join(scratch, "image");
    const unpacked = await unpackImage({ client, repository: reference.repository, image, into, gocache, progress });
    const mounts = { contract, goRoot, goModCache: unpacked.goMod, goBuildCache: unpacked.goBuild };
    const options = { mounts, work: path.join(scratch, "again"), wholeModules: !unpacked.packed };
    return recompiled(name, await recompile({ ...common(work, name, modules), ...options }));
  });
}

/** What does not depend on where the caches are. Throws where the selection leaves out programs that they are warm for. */
function common(
  { request, source, programs, progress }: RecompiledWork,
  what: string,
  modules: readonly string[],
): Pick<RecompileOptions, "share" | "seed" | "source" | "programs" | "progress"> {
  const chosen = programs.filter(({ directory }) => modules.includes(directory));
  const left = modules.filter((module) => !chosen.some(({ directory }) => directory === module));
  if (left.length > 0) {
    throw new KilnError(
      "usage",
      `${what} is warm for ${left.length} programs that are not selected, ${left[0] ?? ""} first`,
      {
        mend: "Compile again with all programs that it was warmed for: give its plan, or --modules without --provider.",
      },
    );
  }
  return { ...request, source, programs: chosen, progress };
}

async function withScratch<T>(parent: string, work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(path.join(parent, "kiln-recompile-"));
  try {
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function recompiled(what: string, result: Recompilation): Outcome {
  const text = recompilationText(what, result);
  return { json: result, text, ...(result.passed ? {} : { exitCode: EXIT.difference }) };
}
