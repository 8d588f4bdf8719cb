import { bakeForStack, bakeTo, readyBakery } from "../../cache/stack-bake.ts";
import type { Bake } from "../../cache/bake.ts";
import { KilnError } from "../../errors.ts";
import { LOCAL_STACK } from "../../toolchain/local-stacks.ts";
import { DEFAULT_BASE_IMAGE } from "../../toolchain/pins.ts";
import { places } from "../../toolchain/places.ts";
import type { Command } from "../command.ts";
import { noArguments, optional, repeated, required } from "../options.ts";
import { duration, size, table } from "../printer.ts";
import { CHECK_TIMES, checkTimes } from "./check-times.ts";
import { deliveryOf, FORM, FORM_HELP, layoutOf } from "./form.ts";
import {
  planAt,
  platformOf,
  readySource,
  SELECTION_HELP,
  STORE_HELP,
  storeOf,
  tagsOf,
  TARGET_HELP,
} from "./selection.ts";

/** `kiln cache bake`: from programs to a verified warm image, on this machine. */
export const bakeCommand: Command = {
  name: "cache bake",
  summary: "Bake a verified warm image here and write its digest to the stack's file.",
  usage: "[--stack S] | --source DIR --modules PATTERN --to REPOSITORY",
  options: {
    stack: { type: "string" },
    source: { type: "string" },
    modules: { type: "string" },
    to: { type: "string" },
    base: { type: "string" },
    platform: { type: "string" },
    tags: { type: "string" },
    provider: { type: "string", multiple: true },
    ...FORM,
    store: { type: "string" },
    from: { type: "string", multiple: true },
    shards: { type: "string" },
    "allow-failed": { type: "string", multiple: true },
  },
  help: {
    stack: "the stack to bake for (default: local)",
    source: "a repository, instead of a stack's",
    modules: "where its Go programs are: a path with {provider} and {module}",
    to: "the repository to push to, with its registry",
    base: `the base image (default: ${DEFAULT_BASE_IMAGE})`,
    platform: "linux/amd64 or linux/arm64 (default: this machine's)",
    tags: TARGET_HELP.tags,
    provider: SELECTION_HELP.provider,
    ...FORM_HELP,
    store: STORE_HELP,
    from: "an earlier warm image, or a cache directory: the store is filled from it first (may be repeated)",
    shards: "the plan whose shards `cache shard` pushed: the store is filled from them first",
    "allow-failed": "programs that are known not to compile (a glob of directories; may be repeated)",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const here = places();
    const allowFailed = repeated(values, "allow-failed");
    const byHand = ["source", "modules", "to"].some((name) => optional(values, name) !== undefined);
    const stray = byHand ? ["stack"] : ["base", "platform", "tags", "provider", "layout", "programs"];
    for (const name of stray.filter((option) => optional(values, option) !== undefined)) {
      const why = byHand
        ? "goes without --source, --modules and --to"
        : "is the stack's file's to say (kiln:image, kiln:source)";
      throw new KilnError("usage", `--${name} ${why}`, {
        mend: "Bake either for a --stack, or from a --source to a repository.",
      });
    }
    const shards = optional(values, "shards");
    const work = {
      allowFailed,
      store: storeOf(values),
      from: repeated(values, "from"),
      ...(shards === undefined ? {} : { shards: await planAt({ plan: shards }) }),
    };
    if (!byHand) {
      const baked = await bakeForStack(here, optional(values, "stack") ?? LOCAL_STACK, work, progress);
      return { json: baked, text: bakeReport(baked) };
    }
    const target = {
      source: await readySource({ source: required(values, "source") }, progress),
      pattern: required(values, "modules"),
      repository: required(values, "to"),
      platform: platformOf(values),
      baseReference: optional(values, "base") ?? DEFAULT_BASE_IMAGE,
      tags: tagsOf(values),
      providers: repeated(values, "provider"),
      layout: layoutOf(values),
      delivery: deliveryOf(values) ?? "cache",
      ...work,
    };
    const baked = await bakeTo(here, target, await readyBakery(here, progress), progress);
    return { json: baked, text: bakeReport(baked) };
  },
};

/** A line for each image in which programs built before, that were not built again. */
function builtBefore({ before = {} }: Bake): readonly (readonly string[])[] {
  return [...Map.groupBy(Object.keys(before), (directory) => before[directory] ?? "")].map(([image, directories]) => [
    `${directories.length} with the same layers`,
    ...["", "", ""],
    `built in ${image.slice(0, "sha256:".length + 12)}`,
  ]);
}

/** What a bake did, for people: phases, layers, programs, digest. */
export function bakeReport(baked: Bake): string {
  if (baked.reused) return `warm image  ${baked.warmImage}\n            of the same inputs: nothing to bake`;
  const phases = Object.entries(baked.seconds).map(([phase, seconds]) => [phase, duration(seconds)]);
  const layers = baked.layers.map(({ name, size: bytes, contentBytes }) => [
    name,
    size(bytes),
    contentBytes === undefined ? "unchanged" : `holds ${size(contentBytes)}`,
  ]);
  const programs = (baked.verification?.programs ?? []).map((check) => [
    check.directory,
    ...checkTimes(check),
    check.compiled.length === 0 ? "no compile action" : `compiled ${check.compiled.length}`,
  ]);
  return [
    table([["phase", "time"], ...phases]),
    table([["layer", "in the registry", ""], ...layers]),
    table([["program (offline in the image)", ...CHECK_TIMES, ""], ...programs, ...builtBefore(baked)]),
    `warm image  ${baked.warmImage}`,
  ].join("\n\n");
}
