import type { PinnedImage } from "../registry/image-reference.ts";
import type { StoredManifest } from "../registry/stored-manifest.ts";
import { imagesOf, type ManifestGraph } from "./manifest-graph.ts";
import { registryTag } from "./registry-tag.ts";

/** An image that must stay, and who names it: `stacks/Pulumi.prod.yaml at abc1234`. */
export interface Root extends PinnedImage {
  readonly reason: string;
}

/** Each manifest that stays, with the reason why. */
export type Reached = ReadonlyMap<StoredManifest, string>;

/** Characters of a digest that a reason repeats. */
const SHOWN = "sha256:".length + 12;

/** A digest as a person reads it in a line. */
export function shortDigest(digest: string): string {
  return digest.slice(0, SHOWN);
}

/**
 * All that can be reached from what is named: by roots, by release tags, by tags that are not kiln's, and `more`. From a
 * manifest lead its parts, what refers to it, and what is attached to it by tag, and from a runner image the warm image below it
 * (`bases`, by digests); from all of them together the layers and bases that a next bake takes. A digest that is named stays in
 * every repository: it is the same image. Pure.
 */
export function reachable(
  graph: ManifestGraph,
  roots: readonly Root[],
  {
    more = new Map(),
    bases = new Map(),
  }: {
    readonly more?: ReadonlyMap<StoredManifest, string>;
    readonly bases?: ReadonlyMap<string, string>;
  } = {},
): Reached {
  const reached = new Map<StoredManifest, string>();
  for (const [manifest, reason] of seeds(graph, roots)) reach(graph, reached, manifest, reason);
  for (const [manifest, reason] of more) reach(graph, reached, manifest, reason);
  // What a layer leads to may be the base of nothing new, but what refers to it is to stay as well: until nothing is added.
  for (let size = -1; size !== reached.size;) {
    size = reached.size;
    for (const [manifest, reason] of below(graph, reached, bases)) reach(graph, reached, manifest, reason);
    for (const [manifest, reason] of shared(graph, reached)) reach(graph, reached, manifest, reason);
  }
  return reached;
}

/** Whether anything keeps a manifest by its tags alone, and which. */
function tagReason(tags: readonly string[]): string | undefined {
  for (const tag of tags) {
    const { kind } = registryTag(tag);
    if (kind === "release") return `tag ${tag}`;
    if (kind === "foreign") return `tag ${tag}, which is not kiln's`;
    if (kind === "note") return "kiln's own note";
  }
  return undefined;
}

function* seeds(graph: ManifestGraph, roots: readonly Root[]): Iterable<readonly [StoredManifest, string]> {
  const reasons = new Map(roots.toReversed().map(({ digest, reason }) => [digest, reason]));
  const named = new Map<string, StoredManifest[]>();
  for (const manifest of graph.manifests) {
    const reason = reasons.get(manifest.digest) ?? tagReason(manifest.tags);
    if (reason !== undefined) yield [manifest, reason];
    if (reasons.has(manifest.digest)) {
      for (const { layers } of imagesOf(graph, manifest)) {
        if (layers.length > 0) named.set(layers.join(), [...(named.get(layers.join()) ?? []), manifest]);
      }
    }
  }
  // A stack's runner image is its warm image with other labels, and lives in a repository of its own: machines run it by
  // its digest long after its tag has moved.
  for (const manifest of graph.manifests) {
    for (const { layers } of imagesOf(graph, manifest)) {
      const warm = named.get(layers.join())?.find(({ repository }) => repository !== manifest.repository);
      if (warm === undefined) continue;
      yield [manifest, `built from ${shortDigest(warm.digest)}, which ${reasons.get(warm.digest) ?? "a stack"} names`];
    }
  }
}

function reach(
  graph: ManifestGraph,
  reached: Map<StoredManifest, string>,
  first: StoredManifest,
  reason: string,
): void {
  if (reached.has(first)) return;
  reached.set(first, reason);
  const queue = [first];
  for (let manifest = queue.pop(); manifest !== undefined; manifest = queue.pop()) {
    for (const { to, as } of graph.leadsTo(manifest)) {
      if (reached.has(to)) continue;
      reached.set(to, `${as} ${shortDigest(manifest.digest)}`);
      queue.push(to);
    }
  }
}

/**
 * The warm images of runner images that stay: a released one may outlive every stack file that named its warm image, and is published
 * and promoted by the record of that.
 */
function* below(
  graph: ManifestGraph,
  reached: Reached,
  bases: ReadonlyMap<string, string>,
): Iterable<readonly [StoredManifest, string]> {
  const runners = new Map<string, string>();
  for (const { digest } of reached.keys()) {
    const base = bases.get(digest);
    if (base !== undefined && !runners.has(base)) runners.set(base, digest);
  }
  for (const manifest of graph.manifests) {
    const runner = runners.get(manifest.digest);
    if (runner !== undefined) yield [manifest, `warm image of ${shortDigest(runner)}`];
  }
}

/** Tagged layers whose bytes an image that stays has, and tagged bases that one begins with. */
function* shared(graph: ManifestGraph, reached: Reached): Iterable<readonly [StoredManifest, string]> {
  const holders = new Map<string, StoredManifest>();
  const beginnings = new Map<string, StoredManifest>();
  const pending = graph.manifests.filter((manifest) => !reached.has(manifest));
  const lengths = new Set(
    pending.filter(isBase).flatMap((base) => imagesOf(graph, base).map((one) => one.layers.length)),
  );
  for (const manifest of reached.keys()) {
    for (const layer of manifest.layers) if (!holders.has(layer)) holders.set(layer, manifest);
    for (const length of lengths) {
      if (length > 0 && length <= manifest.layers.length)
        beginnings.set(manifest.layers.slice(0, length).join(), manifest);
    }
  }
  for (const manifest of pending) {
    for (const { layers } of imagesOf(graph, manifest)) {
      const [first] = layers;
      const holder = first === undefined ? undefined : holders.get(first);
      if (isLayer(manifest) && holder !== undefined && layers.every((layer) => holders.has(layer))) {
        yield [manifest, `layer of ${shortDigest(holder.digest)}`];
      }
      const above = beginnings.get(layers.join());
      if (isBase(manifest) && above !== undefined) yield [manifest, `base of ${shortDigest(above.digest)}`];
    }
  }
}

const isLayer = ({ tags }: StoredManifest) => tags.some((tag) => registryTag(tag).kind === "layer");
const isBase = ({ tags }: StoredManifest) => tags.some((tag) => registryTag(tag).kind === "base");
