import type { Recompilation } from "../recompile.ts";
import { escapeProbability } from "./sample.ts";

/** What a recompilation has shown, for people: one line, then a line for each difference. */
export function recompilationText(what: string, result: Recompilation): string {
  const { differing, unmade, missing, failed, damaged, foreign } = result;
  const { entries, recompiled, outputs, unchecked, share, seed } = result;
  const odd = differing.length + unmade.length + missing.length;
  const drawn = share === "all" ? "" : `; --seed ${seed} repeats it`;
  return [
    `${what}: ${recompiled} of ${entries} entries recompiled, ${odd} ${odd === 1 ? "differs" : "differ"}; ` +
      `${outputs} outputs compared with their names, ${damaged.length} damaged`,
    `${escapeText(result)}${drawn}`,
    ...(unchecked > 0
      ? [`${unchecked} module indexes could not be made again: they list files that packs leave out`]
      : []),
    ...moduleLines(result),
    ...foreign.map(
      ({ module, expected, found }) => `foreign    ${module}: its files have ${found}, go.sum says ${expected}`,
    ),
    ...damaged.map(({ name, of, why }) => `damaged    ${name}${of === undefined ? "" : ` (${of})`}: ${why}`),
    ...differing.map(
      ({ action, of, kind, cached, made }) =>
        `differs    ${of ?? `a ${kind}`}: action ${action}\n           cached ${cached}\n           made   ${made}`,
    ),
    ...unmade.map(({ action, of, kind }) => `not made   ${of ?? `a ${kind}`}: action ${action}: no build asks for it`),
    ...missing.map(({ action, of, kind }) => `not cached ${of ?? `a ${kind}`}: action ${action}: a build asks for it`),
    ...failed.map(({ of, reason }) => `fails      ${of}: ${reason.replaceAll("\n", "\n           ")}`),
  ].join("\n");
}

function moduleLines({ wholeModules, modules, foreign }: Recompilation): readonly string[] {
  if (!wholeModules) return ["no module was compared with go.sum: packs have them without their tests"];
  const differ = `${foreign.length} ${foreign.length === 1 ? "differs" : "differ"}`;
  return modules === 0 ? [] : [`${modules} modules compared with go.sum, ${differ}`];
}

function escapeText({ share, recompiled, entries, escapes, wholeModules }: Recompilation): string {
  if (share === "all" || escapes === 0) {
    return wholeModules
      ? "everything was compiled again: no forged entry escapes"
      : "everything was compiled again, from the image's own sources and indexes, for which nobody vouches here";
  }
  const ten = escapeProbability(recompiled, entries, 10);
  return `a forged entry escapes with probability ${percent(escapes)}, ten of them with ${percent(ten)}`;
}

function percent(probability: number): string {
  return probability.toFixed(probability < 0.1 ? 3 : 2);
}
