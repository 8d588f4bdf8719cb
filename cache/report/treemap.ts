import { squarify, type Rectangle } from "./squarify.ts";
import type { Measure, SizeNode } from "./size-tree.ts";

/** One node of a tree with its place. */
export interface TreemapCell extends Rectangle {
  readonly name: string;
  /** What the cell stands for: a node, or how many that are too small to be drawn each. */
  readonly bytes: number;
  readonly compressed: number;
  /** How many nodes the cell stands for: more than one where small ones were put together. */
  readonly count: number;
  readonly children: readonly TreemapCell[];
}

export interface TreemapOptions {
  readonly measure: Measure;
  /** Cells of a smaller area are put together. */
  readonly smallest: number;
  /** By depth: room kept free inside a cell above its children, and on every side of them. */
  readonly insets: readonly { readonly head: number; readonly border: number }[];
}

/** Lays a tree out as nested rectangles. Siblings do not overlap, and children stand inside their parent. */
export function treemap(
  nodes: readonly SizeNode[],
  within: Rectangle,
  options: TreemapOptions,
): readonly TreemapCell[] {
  const [inset = { head: 0, border: 0 }, ...insets] = options.insets;
  const shown = withoutSmall(nodes, within.width * within.height, options);
  const places = squarify(
    shown.map((node) => node[options.measure]),
    within,
  );
  return shown.map((node, index) => {
    const place = places[index] ?? { ...within, width: 0, height: 0 };
    const { name, bytes, compressed, count } = node;
    const room = inside(place, inset);
    const children = room === undefined ? [] : treemap(node.children, room, { ...options, insets });
    return { name, bytes, compressed, count, ...place, children };
  });
}

type CountedNode = SizeNode & { readonly count: number };

/** Puts the nodes together whose area would be too small; a single one stays what it is. */
function withoutSmall(nodes: readonly SizeNode[], area: number, options: TreemapOptions): readonly CountedNode[] {
  const total = nodes.reduce((sum, node) => sum + node[options.measure], 0);
  const isSmall = (node: SizeNode) => node[options.measure] * area < options.smallest * total;
  const small = nodes.filter(isSmall);
  if (small.length < 2) return nodes.map((node) => ({ ...node, count: 1 }));
  const rest = {
    name: `${small.length} small ones`,
    bytes: small.reduce((sum, { bytes }) => sum + bytes, 0),
    compressed: small.reduce((sum, { compressed }) => sum + compressed, 0),
    children: [],
    count: small.length,
  };
  return [...nodes.filter((node) => !isSmall(node)).map((node) => ({ ...node, count: 1 })), rest];
}

/** What is left of a cell for its children; undefined where that is nothing to draw in. */
function inside(
  { x, y, width, height }: Rectangle,
  { head, border }: { readonly head: number; readonly border: number },
): Rectangle | undefined {
  const [innerWidth, innerHeight] = [width - 2 * border, height - head - border];
  return innerWidth <= 1 || innerHeight <= 1
    ? undefined
    : { x: x + border, y: y + head, width: innerWidth, height: innerHeight };
}
