import type { Figure, Found } from "../figure.ts";
import { coldBake } from "../methods/kiln.ts";
import type { Baked } from "../methods/kiln-command.ts";
import type { Job, Merge, PublishedSteps } from "../methods/published.ts";

/** Phases of a bake that are no compiling, linking or packing: they are listed beside. */
const BESIDE = ["plugins", "base image", "push", "compose", "verify"];

/** Seconds of a bake from the plan to the finished layers. */
export function warmSeconds({ seconds }: Pick<Baked, "seconds">): number {
  return Object.entries(seconds)
    .filter(([phase]) => !BESIDE.includes(phase))
    .reduce((total, [, taken]) => total + taken, 0);
}

/** Seconds of all jobs, one after the other on one machine, with their artifacts and the merge. */
export function publishedSeconds(jobs: readonly Job[], merge: Merge): number {
  return jobs.reduce((total, { build, upload }) => total + build + upload, 0) + merge.download + merge.merge;
}

/** `warm_wall`: one machine, cold, until the caches can be shipped. */
export function warmWall(published: PublishedSteps, corrected: PublishedSteps): Figure {
  return {
    key: "warm_wall",
    bounds: [{ name: "", about: "cold on one machine, of published", limit: 0.7, unit: "x" }],
    needs: [...published.jobs, published.merge, coldBake],
    find({ result, maybe }) {
      const jobs = published.jobs.map((job) => result(job));
      const merge = maybe(corrected.merge);
      const others = corrected.jobs.flatMap((job) => maybe(job) ?? []);
      return warmWallOf(publishedSeconds(jobs, result(published.merge)), result(coldBake), {
        warm_wall_published_jobs_seconds: Object.fromEntries(jobs.map(({ provider, build }) => [provider, build])),
        warm_wall_published_failed: jobs.flatMap(({ failed }) => failed),
        warm_wall_published_artifact_bytes: jobs.reduce((total, { bytes }) => total + bytes, 0),
        ...(merge === undefined ? {} : { warm_wall_corrected_seconds: publishedSeconds(others, merge) }),
      });
    },
  };
}

/** The ratio, from the published method's seconds and a bake. */
export function warmWallOf(
  published: number,
  baked: Pick<Baked, "seconds" | "wall">,
  beside: Readonly<Record<string, unknown>> = {},
): Found {
  const own = warmSeconds(baked);
  return {
    values: { "": own / published },
    figures: {
      warm_wall_published_seconds: published,
      warm_wall_kiln_seconds: own,
      warm_wall_kiln_phases_seconds: baked.seconds,
      warm_wall_kiln_whole_command_seconds: baked.wall,
      ...beside,
    },
  };
}
