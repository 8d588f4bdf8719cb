import { markup, type Markup } from "./markup.ts";
import type { Measure, SizeNode } from "./size-tree.ts";
import { treemap, type TreemapCell } from "./treemap.ts";

const [WIDTH, HEIGHT] = [1240, 660];
/** Of a provider's name, and of a module's. */
const [PROVIDER_HEAD, MODULE_HEAD] = [18, 14];
/** Pixels that a letter of the drawing's font takes, on average. */
const LETTER = 6;

/** A colour of its own for each provider, in the order of the page: steps of the golden angle lie far apart. */
export function hueOf(index: number): number {
  return Math.round(211 + index * 137.508) % 360;
}

/** The treemap of a tree: each provider a link to its list of packages, each cell with its name and sizes as a tip. */
export function drawMap(tree: readonly SizeNode[], measure: Measure, size: (bytes: number) => string): Markup {
  const cells = treemap(
    tree,
    { x: 0, y: 0, width: WIDTH, height: HEIGHT },
    {
      measure,
      smallest: 14,
      insets: [
        { head: PROVIDER_HEAD, border: 2 },
        { head: MODULE_HEAD, border: 1 },
      ],
    },
  );
  const hues = new Map(tree.map(({ name }, index) => [name, hueOf(index)]));
  const label = `Treemap by provider, Go module and package, ${measure === "bytes" ? "bytes on disk" : "compressed bytes"}`;
  return markup`<svg class="map ${measure}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="group" aria-label="${label}">
${cells.filter(isVisible).map((cell) => drawProvider(cell, hues.get(cell.name), measure, size))}</svg>`;
}

function drawProvider(
  cell: TreemapCell,
  hue: number | undefined,
  measure: Measure,
  size: (bytes: number) => string,
): Markup {
  const tip = tipOf(cell, size);
  const modules = cell.children.filter(isVisible).map((child) => drawModule(child, size));
  const inside = markup`${rectangle(cell, "", tip)}${text(cell, `${cell.name}  ${size(cell[measure])}`, 13)}${modules}`;
  return hue === undefined
    ? markup`<g class="provider" style="--hue:220">${inside}</g>`
    : markup`<a class="provider" href="#in-${cell.name}" style="--hue:${hue}" aria-label="${tip}">${inside}</a>
`;
}

function drawModule(cell: TreemapCell, size: (bytes: number) => string): Markup {
  const packages = cell.children.filter(isVisible);
  const drawn = packages.map((child) => {
    const tip = `${tipOf(child, size)}\n${cell.name}`;
    return markup`<rect class="package" data-name="${child.name}" ${placeOf(child)}><title>${tip}</title></rect>`;
  });
  const labels = packages.map((child) =>
    packages.length > 1 ? text(child, child.name, child.height / 2 + 4) : undefined,
  );
  return markup`<g class="module">${rectangle(cell, "", tipOf(cell, size))}${text(cell, cell.name, 11)}${drawn}${labels}</g>`;
}

function isVisible({ width, height }: TreemapCell): boolean {
  return width >= 0.5 && height >= 0.5;
}

function tipOf({ name, bytes, compressed }: TreemapCell, size: (bytes: number) => string): string {
  return `${name}: ${size(compressed)} compressed, ${size(bytes)} on disk`;
}

function rectangle(cell: TreemapCell, className: string, tip: string): Markup {
  return markup`<rect${className === "" ? undefined : markup` class="${className}"`} ${placeOf(cell)}><title>${tip}</title></rect>`;
}

function placeOf({ x, y, width, height }: TreemapCell): Markup {
  const [left, top, across, down] = [x, y, width, height].map((value) => value.toFixed(1));
  return markup`x="${left}" y="${top}" width="${across}" height="${down}"`;
}

/** A cell's name at its left edge, so many pixels below its upper one, as much of it as fits; nothing where too little does. */
function text(cell: TreemapCell, name: string, below: number): Markup | undefined {
  const letters = Math.floor((cell.width - 8) / LETTER);
  if (cell.height < 13 || letters < 3) return undefined;
  return markup`<text x="${(cell.x + 4).toFixed(1)}" y="${(cell.y + below).toFixed(1)}">${fitted(name, letters)}</text>`;
}

/** Parts of paths that tell nothing apart. */
const TELLS_NOTHING = /^(?:v\d+|sdk|go)$/;

/** As much of a package's or module's name as fits into so many letters: the host goes first, the telling part last. */
export function fitted(name: string, letters: number): string {
  const [path = "", version] = name.split("@", 2);
  const parts = path.split("/");
  const telling = parts.findLastIndex((part) => !TELLS_NOTHING.test(part));
  const own = parts[telling] ?? path;
  const paths = [...parts.slice(0, telling + 1).map((_, index) => parts.slice(index).join("/")), own];
  const names = version === undefined ? paths : [...paths.map((rest) => `${rest} ${version}`), own];
  return names.find((candidate) => candidate.length <= letters) ?? `${own.slice(0, letters - 1)}…`;
}
