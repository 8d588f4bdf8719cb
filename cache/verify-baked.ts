import { KilnError } from "../errors.ts";
import type { ImageReference } from "../registry/image-reference.ts";
import { engineEnvironment } from "../toolchain/docker-engine.ts";
import type { BakeOptions } from "./bake-options.ts";
import type { CacheManifest } from "./manifest.ts";
import { describeMisses } from "./misses.ts";
import { verifyPlugins } from "./plugins/check.ts";
import type { PluginLayers } from "./plugins/bake.ts";
import type { Program } from "./programs.ts";
import type { PushedLayer } from "./push-layers.ts";
import { pushVerification } from "./record.ts";
import type { Verification } from "./verification.ts";
import { verifyDelivery } from "./verify-delivery.ts";
import { readVerifiedBefore, tagVerified, verifiedTags, type VerifiedBefore } from "./verified-before.ts";

/** An image that was just composed. */
export interface BakedImage {
  readonly image: ImageReference & { readonly digest: string };
  readonly base: string;
  readonly layers: readonly PushedLayer[];
  readonly manifest: CacheManifest;
  /** All programs that it is warm for. */
  readonly programs: readonly Program[];
  readonly plugins: PluginLayers["plugins"];
}

/** What was found in a baked image, and which of its programs were found in earlier ones with the same layers. */
export interface BakedVerification {
  readonly verification: Verification;
  /** Images by the directories of programs that were not built again. */
  readonly before: Readonly<Record<string, string>>;
}

/**
 * Verifies a baked image, offline: that the programs of every provider whose layers no verified image of the repository has
 * build there, and at least one program. Throws where one does not; otherwise leaves the record that stands for all.
 */
export async function verifyBaked(options: BakeOptions, baked: BakedImage): Promise<BakedVerification> {
  const { client, contract, engine, platform, progress, emulated = false } = options;
  const { image, manifest, programs } = baked;
  const layers = new Map(baked.layers.map(({ name, digest }) => [name, digest]));
  const tags = verifiedTags({ base: baked.base, platform, emulated, contract, manifest, layers });
  const known = await readVerifiedBefore(client, image.repository, tags);
  const { left, before } = divide(programs, known);
  const some = left.length < programs.length ? `, ${programs.length - left.length} programs as before` : "";
  progress.step(`verifying inside the image, without network${some}`);
  const container = { docker: engine.docker, env: engineEnvironment(engine) };
  const name = `${image.repository}@${image.digest}`;
  await verifyPlugins(container, name, baked.plugins, platform);
  const verification = await verifyDelivery(container, { ...options, image: name, programs: left }, progress);
  if (!verification.passed) {
    throw new KilnError("difference", `${name} is not warm:\n${describeMisses(verification)}`, {
      mend: "The image was composed but is neither tagged nor written to the stack. `npx kiln cache verify --image` repeats the check.",
    });
  }
  await pushVerification(client, image, contract, verification, { before, emulated });
  // For the others the image in which they built stands on.
  await tagVerified(client, image, new Map([...tags].filter(([provider]) => !known.has(provider))));
  return { verification, before };
}

/** Programs that are to be built, the first one where none has to be, and where the others were. */
function divide(
  programs: readonly Program[],
  known: ReadonlyMap<string, VerifiedBefore>,
): { readonly left: readonly Program[]; readonly before: Readonly<Record<string, string>> } {
  const isKnown = ({ provider, directory }: Program) => known.get(provider)?.programs.has(directory) === true;
  const unknown = programs.filter((program) => !isKnown(program));
  const left = unknown.length > 0 ? unknown : programs.slice(0, 1);
  const built = new Set(left.map(({ directory }) => directory));
  const before = programs
    .filter(({ directory }) => !built.has(directory))
    .map(({ provider, directory }) => [directory, known.get(provider)?.image ?? ""]);
  return { left, before: Object.fromEntries(before) as Readonly<Record<string, string>> };
}
