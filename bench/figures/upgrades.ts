import type { Bound, Figure, Found, Results } from "../figure.ts";
import { coldBake } from "../methods/kiln.ts";
import type { PublishedSteps } from "../methods/published.ts";
import { flagChange, goPatch, sdkMinor, type Upgrade } from "../methods/upgrades.ts";
import type { Step } from "../step.ts";
import { publishedSeconds } from "./warm-wall.ts";

/** `upgrades`: shown, without a target. The published method does everything again for each of them. */
export function upgrades(published: PublishedSteps): Figure {
  const steps = { sdk_minor: sdkMinor, go_patch: goPatch, flag_change: flagChange };
  const shown = (name: string, about: string): readonly Bound[] => [
    { name: `${name}_seconds`, about: `${about}, with the store: whole bake`, limit: undefined, unit: "s" },
    { name: `${name}_megabytes`, about: `${about}: layers that are new`, limit: undefined, unit: "MB" },
  ];
  return {
    key: "upgrades",
    bounds: [
      ...shown("sdk_minor", "one SDK minor"),
      ...shown("go_patch", "one Go patch"),
      ...shown("flag_change", "one flag"),
    ],
    needs: [coldBake, ...Object.values(steps)],
    find: (results) => upgradesOf(results, steps, published),
  };
}

function upgradesOf(
  results: Results,
  steps: Readonly<Record<string, Step<Upgrade>>>,
  { jobs, merge, image }: PublishedSteps,
): Found {
  const values: Record<string, number> = {};
  const figures: Record<string, unknown> = { upgrades_cold_bake_seconds: results.result(coldBake).wall };
  const missing: Record<string, string> = {};
  for (const [name, step] of Object.entries(steps)) {
    const upgrade = resultOrReason(results, step);
    if (typeof upgrade === "string") {
      missing[`${name}_seconds`] = missing[`${name}_megabytes`] = upgrade;
      continue;
    }
    values[`${name}_seconds`] = upgrade.wall;
    values[`${name}_megabytes`] = upgrade.newLayerBytes / 1e6;
    figures[`upgrades_${name}`] = upgrade.what;
    figures[`upgrades_${name}_phases_seconds`] = upgrade.seconds;
  }
  const [merged, shipped] = [results.maybe(merge), results.maybe(image)];
  if (merged !== undefined && shipped !== undefined) {
    const warm = publishedSeconds(
      jobs.flatMap((job) => results.maybe(job) ?? []),
      merged,
    );
    figures.upgrades_published_seconds = warm + shipped.build + shipped.push;
    figures.upgrades_published_bytes = shipped.pushedBytes;
  }
  return { values, figures, missing };
}

function resultOrReason(results: Results, step: Step<Upgrade>): Upgrade | string {
  try {
    return results.result(step);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
