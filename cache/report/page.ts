import { createHash } from "node:crypto";
import { layerChanges, packageChanges, type SizeChange } from "./changes.ts";
import { programRows, type Contents, type Measured } from "./contents.ts";
import { drawMap } from "./map-drawing.ts";
import { markup, Markup } from "./markup.ts";
import { packageList } from "./package-list.ts";
import { SCRIPT } from "./script.ts";
import { timesSection } from "./times-section.ts";
import { sizeTree, sum, type SizeNode } from "./size-tree.ts";
import { STYLE } from "./style.ts";

export interface PageOptions extends Measured {
  readonly contents: Contents;
  /** What it is compared with. */
  readonly against?: Contents | undefined;
  /** Bytes for people. */
  readonly size: (bytes: number) => string;
}

/** Changes of packages that a page lists: what is below them is noise. */
const CHANGES_SHOWN = 60;
const LEAST_CHANGE_BYTES = 1024;

/**
 * A report as one page that stands alone: nothing is fetched, no address but its own places is in it, and whatever names it
 * shows are escaped. The same contents give the same page.
 */
export function reportPage(options: PageOptions): string {
  const { contents, against, size } = options;
  const tree = sizeTree(contents.sizes ?? []);
  const sections: readonly (readonly [string, string, Markup | undefined])[] = [
    ["map", "What takes the room", mapSection(tree, size)],
    ["changes", `What changed against ${against?.name ?? ""}`, changesSection(contents, against, size)],
    ["layers", "Layers", layersSection(options)],
    ["times", "Cold and warm", timesSection(contents, options, tree)],
    ["programs", "Programs", programsSection(options)],
    ["packages", "Packages", tree.length === 0 ? undefined : packageList(tree, size)],
  ];
  const shown = sections.filter(([, , content]) => content !== undefined);
  const scriptHash = createHash("sha256").update(SCRIPT).digest("base64");
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'">
<title>${contents.name}: caches</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1><small>Go caches of</small>${contents.name}</h1>
${facts(contents, size)}
<nav aria-label="Parts of this page"><ul>${shown.map(([id, title]) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
<main>
${shown.map(([id, title, content]) => markup`<section id="${id}">\n<h2>${title}</h2>\n${content}\n</section>\n`)}</main>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`.text;
}

function facts({ report, sizes = [] }: Contents, size: (bytes: number) => string): Markup {
  const modules = new Set(sizes.map(({ goModule }) => goModule).filter((name) => name.includes("@")));
  const shown: readonly (readonly [string, string])[] = [
    [size(report.bytes), report.layers.some(({ digest }) => digest !== undefined) ? "as it travels" : "on disk"],
    ...(report.bytesToPull === undefined ? [] : [[size(report.bytesToPull), "to pull"] as const]),
    ...(sizes.length === 0 ? [] : [[size(sum(sizes, "bytes")), "read by builds"] as const]),
    ...(sizes.length === 0 ? [] : [[size(sum(sizes, "compressed")), "of that, compressed"] as const]),
    [String(report.programs.length), "programs"],
    [String(report.layers.length), "layers"],
    ...(modules.size === 0 ? [] : [[String(modules.size), "Go modules compiled"] as const]),
  ];
  return markup`<ul class="facts">${shown.map(([value, of]) => markup`<li><b>${value}</b><span>${of}</span></li>`)}</ul>`;
}

function mapSection(tree: readonly SizeNode[], size: (bytes: number) => string): Markup | undefined {
  if (tree.length === 0) return undefined;
  return markup`<div class="controls" hidden><label for="find">Find a package</label> <input id="find" type="search"
 autocomplete="off" spellcheck="false"> <output id="found" for="find"></output></div>
<input class="by" type="radio" name="by" id="by-compressed" checked><label for="by-compressed">compressed</label>
<input class="by" type="radio" name="by" id="by-bytes"><label for="by-bytes">on disk</label>
${drawMap(tree, "compressed", size)}
${drawMap(tree, "bytes", size)}
<p class="note">Areas are bytes: providers, in them Go modules, in those packages. What more than one provider reads is
 in “common”. Each provider leads to its list below.</p>`;
}

function changesSection(contents: Contents, against: Contents | undefined, size: (bytes: number) => string) {
  if (against === undefined) return undefined;
  const layers = layerChanges(against.report.layers, contents.report.layers);
  const known = contents.sizes !== undefined && against.sizes !== undefined;
  const packages = known ? packageChanges(against.sizes, contents.sizes, LEAST_CHANGE_BYTES) : [];
  const more = packages.length - CHANGES_SHOWN;
  return markup`${layers.length === 0 ? markup`<p>No layer has another size.</p>` : changeTable("layer", layers, size)}
${known ? undefined : markup`<p class="note">What packages changed is not known: one of the two does not say what it has.</p>`}
${packages.length === 0 ? undefined : changeTable("package, compressed", packages.slice(0, CHANGES_SHOWN), size)}
${more > 0 ? markup`<p class="note">${more} smaller changes are not shown.</p>` : undefined}`;
}

function changeTable(what: string, changes: readonly SizeChange[], size: (bytes: number) => string): Markup {
  const rows = changes.map(({ name, kind, before, after }) => {
    const sign = after >= before ? "+" : "−";
    return markup`<tr><td class="path">${name}</td><td class="${kind}">${kind}</td><td class="n">${kind === "new" ? "" : size(before)}</td>
<td class="n">${kind === "gone" ? "" : size(after)}</td><td class="n ${kind}">${sign}${size(Math.abs(after - before))}</td></tr>\n`;
  });
  return markup`<div class="scroll"><table><thead><tr><th>${what}</th><th></th><th class="n">before</th><th class="n">now</th>
<th class="n">difference</th></tr></thead><tbody>
${rows}</tbody></table></div>`;
}

function layersSection({ contents: { report }, size }: PageOptions): Markup {
  const digests = report.layers.some(({ digest }) => digest !== undefined);
  const rows = report.layers.map(
    ({ name, bytes, holds, digest, shared }) =>
      markup`<tr><td>${name}</td><td class="n">${size(bytes)}</td>${shared === undefined ? undefined : markup`<td>${shared ? "is there" : "to pull"}</td>`}
<td class="path">${holds}</td>${digests ? markup`<td><code>${digest ?? ""}</code></td>` : undefined}</tr>\n`,
  );
  const compared = report.bytesToPull !== undefined;
  return markup`<div class="scroll"><table><thead><tr><th>layer</th><th class="n">${digests ? "compressed" : "on disk"}</th>
${compared ? markup`<th>somebody with the other image</th>` : undefined}<th>holds</th>${digests ? markup`<th>digest</th>` : undefined}</tr></thead><tbody>
${rows}</tbody></table></div>`;
}

function programsSection({ contents, timings, verification, size }: PageOptions): Markup {
  const rows = programRows(contents, { timings, verification });
  const seconds = (value: number | undefined) => (value === undefined ? "" : `${value.toFixed(2)} s`);
  const columns: readonly (readonly [string, (row: (typeof rows)[number]) => string])[] = [
    ["on disk", ({ bytes }) => (bytes === undefined ? "" : size(bytes))],
    ["compressed", ({ compressed }) => (compressed === undefined ? "" : size(compressed))],
    ["linking", ({ link }) => seconds(link)],
    ["first build, warm", ({ first }) => seconds(first)],
    ["again", ({ again }) => seconds(again)],
  ];
  const used = columns.filter(([, value]) => rows.some((row) => value(row) !== ""));
  return markup`<div class="scroll"><table><thead><tr><th>program</th>${used.map(([name]) => markup`<th class="n">${name}</th>`)}</tr></thead><tbody>
${rows.map((row) => markup`<tr><td class="path">${row.directory}</td>${used.map(([, value]) => markup`<td class="n">${value(row)}</td>`)}</tr>\n`)}</tbody></table></div>`;
}
