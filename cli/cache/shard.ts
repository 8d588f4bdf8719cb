import { mkdir } from "node:fs/promises";
import path from "node:path";
import { readGocache } from "../../cache/gocache.ts";
import { BASE_SHARD } from "../../cache/plan.ts";
import { requireNoFailures } from "../../cache/planning.ts";
import type { Reuse } from "../../cache/reuse.ts";
import {
  pushShard,
  readBaseEntries,
  readTakenShard,
  requireShardImage,
  shardTags,
  type PushedShard,
} from "../../cache/shard-image.ts";
import { restoreFrom } from "../../cache/store-source.ts";
import { hasEntries } from "../../cache/store.ts";
import { shardOf, warmShard } from "../../cache/warm.ts";
import type { RegistryClient } from "../../registry/client.ts";
import { formatReference, parseReference, registryHost } from "../../registry/image-reference.ts";
import { isLoopback } from "../../registry/repository-names.ts";
import { readStackSettings } from "../../release/stack-file.ts";
import { stackReuse } from "../../release/supply/stack-reuse.ts";
import { gocacheKey } from "../../toolchain/gocache-program.ts";
import { startRegistry } from "../../toolchain/loopback-registry.ts";
import type { Progress } from "../../progress.ts";
import { places } from "../../toolchain/places.ts";
import { removeFolder } from "../../toolchain/remove-folder.ts";
import type { Command } from "../command.ts";
import { noArguments, optional, required } from "../options.ts";
import { duration, size } from "../printer.ts";
import { FROM, FROM_HELP, fillFrom } from "./restore.ts";
import {
  goTool,
  planAt,
  readySource,
  registryClient,
  requireOwnTools,
  SELECTION_HELP,
  STORE_HELP,
  storeOf,
} from "./selection.ts";
import { STACK, STACK_HELP, withStack } from "./stack-selection.ts";

/** `kiln cache shard`: what one job of a matrix does. */
export const shardCommand: Command = {
  name: "cache shard",
  summary: "Compile one shard of a plan and push it, so that `cache bake --shards` finds it compiled.",
  usage: "--plan PLAN.json --shard ID (--stack S | --source DIR --to REPOSITORY) [--store DIR] [--from IMAGE|DIR]…",
  options: {
    ...STACK,
    plan: { type: "string" },
    shard: { type: "string" },
    source: { type: "string" },
    to: { type: "string" },
    store: { type: "string" },
    ...FROM,
  },
  help: {
    ...STACK_HELP,
    plan: "the plan file, the same for all shards",
    shard: "the shard's id in the plan; the base comes before the others",
    source: SELECTION_HELP.source,
    to: "the repository of the warm image",
    store: STORE_HELP,
    ...FROM_HELP,
  },
  async run({ values: given, positionals, progress }) {
    noArguments(positionals);
    const values = await withStack(given);
    const plan = await planAt(values);
    requireOwnTools(plan);
    const shard = shardOf(plan, required(values, "shard"));
    const { repository } = parseReference(required(values, "to"));
    if (given.stack !== undefined) await readyRegistry(repository, progress);
    const [client, source, store] = [
      await registryClient(progress),
      await readySource(values, progress),
      storeOf(values),
    ];
    const tags = await shardTags(plan, source, await gocacheKey(plan.contract.goVersion));
    const tag = tags.get(shard.id) ?? "";
    const reuse = await reuseFor(optional(given, "stack"), client, progress);
    const known = await readTakenShard(client, repository, tag, reuse);
    if (known !== undefined) {
      const image = formatReference(known);
      return {
        json: { shard: shard.id, image, reused: true },
        text: `${image}\n${shard.id} was pushed before: nothing to do`,
      };
    }

    const { root: goRoot } = await goTool(progress, store);
    const start = performance.now();
    const gocache = await readGocache({ places: places(), goRoot, contract: plan.contract, progress });
    const packer = await gocache.packer();
    let elsewhere: ReadonlySet<string> = new Set();
    if (shard.id !== BASE_SHARD && tags.has(BASE_SHARD)) {
      const base = await requireShardImage(client, repository, tags, BASE_SHARD);
      const taken = (await reuse?.takes(base, tags.get(BASE_SHARD) ?? "")) !== false;
      // Without it this shard compiles, and ships, what it needs of the base itself.
      if (taken) elsewhere = await readBaseEntries(client, base);
      // A volume that has compiled the base before need not fetch it again.
      if (taken && !(await hasEntries(store, elsewhere))) {
        const options = {
          client,
          store,
          contract: plan.contract,
          gocache: () => Promise.resolve(packer.program),
          progress,
        };
        await restoreFrom([{ kind: "image", image: base }], options);
      }
    }
    await fillFrom(values, store, { contract: plan.contract, goRoot, progress });

    const work = path.join(places().work, "shards", shard.id);
    const cache = path.join(work, "cache");
    await mkdir(work, { recursive: true });
    try {
      // Binaries are linked where the image is put together: what others need of a shard is what it compiled.
      const warming = { plan, source, goRoot, store, gocache: packer.program, delivery: "cache" as const, progress };
      const manifest = await warmShard({ ...warming, shard: shard.id, out: cache });
      requireNoFailures(manifest.failed, plan.allowFailed);
      progress.step(`${shard.id}: pushing it`);
      const pushed = await pushShard({
        ...{ client, repository, tag, shard, cache, manifest, elsewhere, reuse, packer },
        scratch: path.join(work, "layers"),
      });
      const seconds = (performance.now() - start) / 1000;
      return {
        json: { shard: shard.id, reused: false, ...pushed, programs: manifest.modules, seconds },
        text: pushedText(shard.id, pushed, seconds),
      };
    } finally {
      await removeFolder(work);
    }
  },
};

/** What may be taken from the registry for a stack; where none is named, all that is there. */
async function reuseFor(
  stack: string | undefined,
  client: RegistryClient,
  progress: Progress,
): Promise<Reuse | undefined> {
  const settings = stack === undefined ? undefined : await readStackSettings(places().project, stack);
  return settings && stackReuse(settings, { places: places(), client, progress });
}

/** Starts the registry of a stack that is this machine's own. */
async function readyRegistry(repository: string, progress: Progress): Promise<void> {
  const address = registryHost(repository);
  if (isLoopback(address)) await startRegistry({ places: places(), address, progress });
}

function pushedText(id: string, { image, size: bytes, entries }: PushedShard, seconds: number): string {
  return `${image}\n${id}: ${entries} build entries, ${size(bytes)}, in ${duration(seconds)}`;
}
