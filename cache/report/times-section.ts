import { coldSeconds, type Contents, type Measured } from "./contents.ts";
import { hueOf } from "./map-drawing.ts";
import { markup, type Markup } from "./markup.ts";
import type { SizeNode } from "./size-tree.ts";

/** What compiling took cold, by layer, and what a build takes warm; nothing where neither was measured. */
export function timesSection(
  contents: Contents,
  { timings, verification }: Measured,
  tree: readonly SizeNode[],
): Markup | undefined {
  const cold = coldSeconds(contents, { timings });
  const links = contents.report.programs.flatMap((program) => timings?.links?.[program] ?? []);
  const firsts = verification?.programs.map(({ firstSeconds }) => firstSeconds) ?? [];
  const sentences = [
    ...(cold.size === 0 ? [] : [`Cold, compiling took ${total([...cold.values()]).toFixed(0)} s of CPU time.`]),
    ...(links.length === 0 ? [] : [`Linking ${links.length} of the programs took ${total(links).toFixed(0)} s.`]),
    ...(firsts.length === 0 ? [] : [warmSentence(firsts)]),
  ];
  if (sentences.length === 0) return undefined;
  const longest = Math.max(...cold.values());
  const rows = tree.flatMap(({ name }, index) => {
    const seconds = cold.get(name);
    return seconds === undefined ? [] : [barRow(name, seconds, longest, hueOf(index))];
  });
  return markup`<p>${sentences.join(" ")}</p>${
    rows.length === 0
      ? undefined
      : markup`
<div class="scroll"><table><thead><tr><th>layer</th><th class="n">compiling, cold</th><th>CPU time</th></tr></thead><tbody>
${rows}</tbody></table></div>`
  }`;
}

function warmSentence(firsts: readonly number[]): string {
  const [mean, longest] = [total(firsts) / firsts.length, Math.max(...firsts)];
  return `Warm, a program's first build takes ${mean.toFixed(2)} s on average and ${longest.toFixed(2)} s at most.`;
}

function barRow(name: string, seconds: number, longest: number, hue: number): Markup {
  const width = longest === 0 ? 0 : (seconds / longest) * 100;
  return markup`<tr><td>${name}</td><td class="n">${seconds.toFixed(1)} s</td>
<td class="bars"><span class="bar" style="--hue:${hue};width:${width.toFixed(1)}%"></span></td></tr>\n`;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
