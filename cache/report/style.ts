/** The style of a report: light or dark as the reader's system is, and fit to be printed. No font or image is fetched. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5a6475; --line: #d8dde6; --paper: #ffffff; --panel: #f5f7fa;
  --accent: #0b5cad; --cell: 78%; --cell-far: 86%; --group: 40%; --on-group: #ffffff; --on-cell: #141a24; --chroma: 52%;
  --up: #a33b12; --down: #1f7a3d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf1; --soft: #9aa5b6; --line: #333c4a; --paper: #12161d; --panel: #1a202a; --accent: #7db8f5;
    --cell: 33%; --cell-far: 27%; --group: 20%; --on-group: #f2f5fa; --on-cell: #edf1f7; --chroma: 34%;
    --up: #f0946a; --down: #6fcf8f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1280px; padding: 1.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.3rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
h1 small { display: block; font-size: .85rem; font-weight: 500; color: var(--soft); }
h2 { font-size: 1.1rem; margin: 2.4rem 0 .7rem; }
p.note { color: var(--soft); margin: .4rem 0; max-width: 80ch; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
nav ul, .facts { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; list-style: none; margin: 0; padding: 0; }
.facts { gap: .75rem; }
.facts li { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem; min-width: 8.5rem; }
.facts b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.facts span { color: var(--soft); font-size: .85rem; }
nav { margin: 1rem 0 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .7rem .28rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: .85rem; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.n + td:not(.n), th.n + th:not(.n) { padding-left: 1rem; }
td.path, td code { overflow-wrap: anywhere; }
code { font: .85em ui-monospace, SFMono-Regular, Menlo, monospace; }
.scroll { overflow-x: auto; } .scroll + .scroll { margin-top: 1.4rem; }
.grown, .new { color: var(--up); } .shrunk, .gone { color: var(--down); }
.bar { display: block; height: .7rem; border-radius: 2px; background: hsl(var(--hue, 210) var(--chroma) var(--group)); min-width: 1px; }
td.bars { width: 40%; }
.controls { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: center; margin: 0 0 .6rem; }
.controls input[type=search] { font: inherit; padding: .25rem .5rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--panel); color: inherit; min-width: 16rem; }
.map { display: none; width: 100%; height: auto; background: var(--panel); border-radius: 6px; }
#by-compressed:checked ~ .map.compressed, #by-bytes:checked ~ .map.bytes { display: block; }
.by { position: absolute; opacity: 0; }
.by + label { display: inline-block; padding: .25rem .75rem; border: 1px solid var(--line); border-radius: 6px; cursor: pointer; }
.by:checked + label { background: var(--accent); color: var(--paper); border-color: var(--accent); }
.by:focus-visible + label { outline: 3px solid var(--accent); outline-offset: 2px; }
.by + label { margin: 0 .35rem .6rem 0; }
.map .provider > rect { fill: hsl(var(--hue) var(--chroma) var(--group)); }
.map .module > rect { fill: hsl(var(--hue) var(--chroma) var(--cell)); stroke: hsl(var(--hue) var(--chroma) var(--group)); stroke-width: .6; }
.map .module > rect.package { fill: hsl(var(--hue) var(--chroma) var(--cell-far)); stroke: hsl(var(--hue) var(--chroma) var(--cell)); stroke-width: .8; }
.map a:hover > rect, .map rect.package:hover { filter: brightness(1.12); }
.map a:focus-visible { outline: none; } .map a:focus-visible > rect { stroke: var(--accent); stroke-width: 4; }
.map text { font: 11px system-ui, sans-serif; fill: var(--on-cell); pointer-events: none; }
.map .provider > text { font-size: 12px; font-weight: 600; fill: var(--on-group); }
.map.searching rect.package:not(.found) { opacity: .16; }
details { border-bottom: 1px solid var(--line); padding: .15rem 0; }
details details { margin-left: 1.1rem; }
summary { cursor: pointer; padding: .2rem 0; overflow-wrap: anywhere; }
summary .n { color: var(--soft); font-size: .9rem; }
details table { margin: .2rem 0 .5rem 1.1rem; width: calc(100% - 1.1rem); }
[hidden] { display: none !important; }
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  nav, .controls, .by + label { display: none; }
  .map, .bar, .facts li { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; } tr, .map { break-inside: avoid; }
}
`;
