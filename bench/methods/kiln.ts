import { existsSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import { imageBytes, pull } from "../docker.ts";
import { copyEdited } from "../edit.ts";
import { forgetRepository, hasImage } from "../registry.ts";
import type { Step, StepContext } from "../step.ts";
import { modulesStep } from "./common.ts";
import { bake, COLD_BAKE, kilnFolder, type Baked } from "./kiln-command.ts";

/** A cold bake, with what its image holds. */
export interface ColdBake extends Baked {
  /** Directories of programs that do not compile, where nobody knew of them before. */
  readonly failed: readonly string[];
  readonly cacheBytes: number;
  readonly cacheDiskBytes: number;
}

/** Folders of an image that hold caches, loose or packed, and what serves them. */
const CACHE_FOLDERS = ["/var/cache/go-mod", "/var/cache/go-build", "/usr/local/lib/kiln"];

const STORE = "store";

/** From nothing but fetched modules to a verified image in the registry. */
export const coldBake: Step<ColdBake> = {
  id: COLD_BAKE,
  title: "kiln: cold bake from an empty store",
  method: "kiln",
  after: [modulesStep],
  standing: async ({ work, known }) => {
    const [, baked] = known().find(([id]) => id === COLD_BAKE) ?? [];
    return existsSync(kilnFolder(work, STORE)) && baked !== undefined && isInRegistry(work, (baked as ColdBake).image);
  },
  async run(context) {
    const { baked, failed } = await bakeCold(context).catch(async (error: unknown) => {
      const failing = notCompiling(messageOf(error), context.selection.programs);
      if (failing.length === 0) throw error;
      context.progress.note(`${messageOf(error)}\nthese are left out, and the cold bake begins anew`);
      return bakeCold(context, failing);
    });
    const { bytes, diskBytes } = await imageBytes(
      context,
      await pull(context, `${context.registry}/${baked.image}`),
      CACHE_FOLDERS,
    );
    return { ...baked, failed, cacheBytes: bytes, cacheDiskBytes: diskBytes };
  },
};

async function bakeCold(
  context: StepContext,
  failed: readonly string[] = [],
): Promise<{ readonly baked: Baked; readonly failed: readonly string[] }> {
  const { work, selection } = context;
  await removeFolder(kilnFolder(work));
  await mkdir(kilnFolder(work), { recursive: true });
  await forgetRepository(work, "kiln");
  const more = failed.flatMap((directory) => ["--allow-failed", directory]);
  return {
    baked: await bake(context, { source: selection.source, store: kilnFolder(work, STORE), name: "kiln", more }),
    failed,
  };
}

/** The programs of which a message of kiln's says that they do not compile: a line `  <directory>: <reason>` each. */
export function notCompiling(message: string, programs: readonly { readonly directory: string }[]): readonly string[] {
  if (!/\bprograms? do(?:es)? not compile:/.test(message)) return [];
  const named = new Set(message.split("\n").map((line) => /^ {2}(.+?): /.exec(line)?.[1]));
  return programs.map(({ directory }) => directory).filter((directory) => named.has(directory));
}

function isInRegistry(work: string, image: string): Promise<boolean> {
  const [repository = "", digest = ""] = image.split("@");
  return hasImage(path.join(work, "registry"), repository, digest);
}

/** The program that an edit makes another one of. */
function changedProgram({ selection }: StepContext): string {
  const [first] = selection.sample;
  if (first === undefined) throw new KilnError("failed", "no program was selected");
  return first.directory;
}

/** One module's main.go changed, the store of the cold bake there. */
export const rebakeWithStore: Step<Baked> = {
  id: "kiln/rebake store",
  title: "kiln: bake after one module changed, with the store",
  method: "kiln",
  after: [coldBake],
  async run(context) {
    const { work, selection } = context;
    const source = await copyEdited(selection, kilnFolder(work, "changed"), changedProgram(context), `${Date.now()}`);
    return bake(context, { source, store: kilnFolder(work, STORE), name: "kiln" });
  },
};

/** The same change on a machine that has an empty store, and the layers in the registry. */
export const rebakeFromRegistry: Step<Baked> = {
  id: "kiln/rebake registry",
  title: "kiln: bake after one module changed, with an empty store, from the layers in the registry",
  method: "kiln",
  after: [coldBake],
  async run(context) {
    const { work, selection, registry } = context;
    const store = kilnFolder(work, "empty-store");
    await removeFolder(store);
    const source = await copyEdited(selection, kilnFolder(work, "changed"), changedProgram(context), `${Date.now()}`);
    const from = `${registry}/${context.result(coldBake).image}`;
    try {
      return await bake(context, { source, store, name: "kiln", more: ["--from", from] });
    } finally {
      await removeFolder(store);
    }
  },
};

/** Everything once more: another folder, another empty store, another repository. */
export const secondBake: Step<Baked> = {
  id: "kiln/second bake",
  title: "kiln: the same bake from another empty store, in other folders",
  method: "kiln",
  after: [modulesStep],
  async run(context) {
    const { work, selection } = context;
    const elsewhere = kilnFolder(work, "second");
    await removeFolder(elsewhere);
    await forgetRepository(work, "second");
    await cp(selection.root, path.join(elsewhere, "source"), { recursive: true });
    const source = path.join(elsewhere, "source", path.relative(selection.root, selection.source));
    try {
      return await bake(context, { source, store: path.join(elsewhere, STORE), name: "second" });
    } finally {
      await removeFolder(elsewhere);
    }
  },
};
