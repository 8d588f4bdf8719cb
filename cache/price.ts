import { contractDifferences, type BuildContract } from "./contract.ts";
import { COMMON_LAYER } from "./layers.ts";
import type { PackagesDocument } from "./packages-document.ts";
import type { WeighedGraph } from "./plan/weighed-graph.ts";

/** Why a package must be compiled. */
export type PriceReason =
  /** Go, its target or its flags are others: everything. */
  | "contract"
  /** The image has no such package, or another version of it. */
  | "new"
  /** One of the repository's own whose files differ. */
  | "edited"
  /** It imports one that is compiled anew. */
  | "imports";

export interface PricedPackage {
  /** As in the build graph: import path and version, or `./directory`. */
  readonly key: string;
  readonly reason: PriceReason;
  readonly layer: string;
  /** CPU seconds of compiling it. */
  readonly seconds: number;
  /** Bytes of its archive. */
  readonly bytes: number;
  /** Whether the seconds were measured before. */
  readonly measured: boolean;
}

/** What of one layer changes. A layer with any change is pushed and pulled as a whole. */
export interface PricedLayer {
  readonly name: string;
  /** Packages to compile. */
  readonly compiled: number;
  readonly seconds: number;
  /** Bytes of the archives to compile. */
  readonly bytes: number;
  /** Packages that it no longer has. */
  readonly dropped: number;
  /** Bytes of the whole layer as it travels, estimated by those of the image; nothing where it does not change. */
  readonly pushed: number;
}

/** What baking a plan costs where an image is there already. */
export interface Price {
  /** What of the contract differs; not empty: everything is compiled. */
  readonly differences: readonly string[];
  /** Those that cost most first. */
  readonly packages: readonly PricedPackage[];
  readonly layers: readonly PricedLayer[];
  /** Programs that have to be linked again. */
  readonly programs: readonly string[];
  /** CPU seconds of compiling and of linking. */
  readonly seconds: { readonly compile: number; readonly link: number };
  readonly bytes: number;
  readonly pushed: number;
}

/** What there is now, to be held against what was baked. */
export interface PresentPackages {
  readonly graph: WeighedGraph;
  readonly contract: BuildContract;
  /** As in the document that it is compared with. */
  readonly local: Readonly<Record<string, string>>;
}

/** Objects compress about so many times in a layer, where no pushed layer says how well its own do. */
const COMPRESSION = 8;

/** The price of what is there now, where `baked` is compiled already. Pure. */
export function priceOf({ graph, contract, local }: PresentPackages, baked: PackagesDocument): Price {
  const differences = contractDifferences(baked.contract, contract);
  const homes = new Map(
    Object.entries(baked.layers).flatMap(([layer, packages]) => Object.keys(packages).map((key) => [key, layer])),
  );
  const layers = layersOf(graph);
  const reasons: (PriceReason | undefined)[] = [];
  // Imports come before what imports them.
  graph.keys.forEach((key, index) => {
    if (key === "unsafe" || layers[index] === undefined) return;
    reasons[index] = differences.length > 0 ? "contract" : ownReason(key, homes, local, baked.local);
    if (graph.imports[index]?.some((below) => reasons[below] !== undefined) === true) reasons[index] ??= "imports";
  });
  const packages = graph.keys.flatMap((key, index): readonly PricedPackage[] => {
    const [reason, layer] = [reasons[index], layers[index]];
    if (reason === undefined || layer === undefined) return [];
    const [seconds, bytes] = [hundredths(graph.seconds[index] ?? 0), Math.round(graph.bytes[index] ?? 0)];
    return [{ key, reason, layer, seconds, bytes, measured: graph.measured[index] === 1 }];
  });
  const programs = graph.programs.filter(({ root }) => reasons[root] !== undefined);
  const priced = pricedLayers(graph, layers, packages, baked, homes);
  return {
    differences,
    packages: packages.sort((a, b) => b.seconds - a.seconds || (a.key < b.key ? -1 : 1)),
    layers: priced,
    programs: programs.map(({ directory }) => directory),
    seconds: {
      compile: hundredths(total(packages.map(({ seconds }) => seconds))),
      link: hundredths(total(programs.map(({ link }) => link))),
    },
    bytes: total(packages.map(({ bytes }) => bytes)),
    pushed: total(priced.map(({ pushed }) => pushed)),
  };
}

function ownReason(
  key: string,
  homes: ReadonlyMap<string, string>,
  local: Readonly<Record<string, string>>,
  baked: Readonly<Record<string, string>>,
): PriceReason | undefined {
  if (!homes.has(key)) return "new";
  if (!key.startsWith("./")) return undefined;
  const directory = key.slice(2) || ".";
  return local[directory] === baked[directory] ? undefined : "edited";
}

/** The layer that each package goes to: its provider's, or the common one where several need it; none where no program does. */
function layersOf(graph: WeighedGraph): readonly (string | undefined)[] {
  const layers = new Array<string | undefined>(graph.keys.length);
  for (const { provider, needs } of graph.programs) {
    for (const index of needs) {
      layers[index] = layers[index] === undefined || layers[index] === provider ? provider : COMMON_LAYER;
    }
  }
  return layers;
}

function pricedLayers(
  graph: WeighedGraph,
  layers: readonly (string | undefined)[],
  packages: readonly PricedPackage[],
  baked: PackagesDocument,
  homes: ReadonlyMap<string, string>,
): readonly PricedLayer[] {
  const now = new Map(graph.keys.flatMap((key, index) => (layers[index] === undefined ? [] : [[key, index]])));
  const names = new Set([...layers.filter((name) => name !== undefined), ...Object.keys(baked.layers)]);
  return [...names].sort(commonFirst).map((name): PricedLayer => {
    const compiled = packages.filter(({ layer }) => layer === name);
    const before = Object.entries(baked.layers[name] ?? {});
    const dropped = before.filter(([key]) => layers[now.get(key) ?? -1] !== name);
    const members = [...now].filter(([, index]) => layers[index] === name);
    const moved = members.filter(([key]) => key !== "unsafe" && homes.get(key) !== name);
    const bytes = total(members.map(([, index]) => graph.bytes[index] ?? 0));
    const known = baked.sizes[name];
    const rate = known === undefined ? 1 / COMPRESSION : known / (total(before.map(([, size]) => size)) || 1);
    const changes = compiled.length + dropped.length + moved.length > 0;
    return {
      name,
      compiled: compiled.length,
      seconds: hundredths(total(compiled.map(({ seconds }) => seconds))),
      bytes: total(compiled.map((one) => one.bytes)),
      dropped: dropped.length,
      pushed: changes ? Math.round(bytes * rate) : 0,
    };
  });
}

function commonFirst(a: string, b: string): number {
  if ((a === COMMON_LAYER) !== (b === COMMON_LAYER)) return a === COMMON_LAYER ? -1 : 1;
  return a < b ? -1 : 1;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
