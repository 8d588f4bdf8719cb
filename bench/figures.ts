import type { Figure } from "./figure.ts";
import { aged } from "./figures/aged.ts";
import { binaryStart } from "./figures/binary-start.ts";
import { builds } from "./figures/builds.ts";
import { cacheBytes } from "./figures/cache-bytes.ts";
import { determinism } from "./figures/determinism.ts";
import { makespan } from "./figures/makespan.ts";
import { rebakeOneModule } from "./figures/rebake.ts";
import { scale } from "./figures/scale.ts";
import { ship } from "./figures/ship.ts";
import { upgrades } from "./figures/upgrades.ts";
import { warmWall } from "./figures/warm-wall.ts";
import { buildSteps } from "./methods/build-steps.ts";
import { coldBake } from "./methods/kiln.ts";
import { publishedSteps, wholeImage, type PublishedSteps } from "./methods/published.ts";
import type { PublishedMethod } from "./methods/published-script.ts";

/** The figures of a comparison of programs of these providers, in the order of the table. */
export function figuresFor(providers: readonly string[]): readonly Figure[] {
  const [published, corrected] = [publishedSteps("published", providers), publishedSteps("corrected", providers)];
  const wholeSteps = (method: PublishedMethod, { image, flags }: PublishedSteps) =>
    buildSteps(method, image, (context) => ({ image: wholeImage(context, method), flags: flags(context) }));
  const inImages = {
    published: wholeSteps("published", published),
    corrected: wholeSteps("corrected", corrected),
    kiln: buildSteps("kiln", coldBake, (context) => ({
      image: `${context.registry}/${context.result(coldBake).image}`,
      flags: context.contract.flags,
    })),
  };
  return [
    warmWall(published, corrected),
    makespan(),
    ...cacheBytes(published, corrected),
    ship(published),
    ...builds(inImages),
    aged(inImages),
    binaryStart,
    rebakeOneModule,
    determinism,
    upgrades(published),
    ...scale,
  ];
}

/** The keys of all figures. */
export const FIGURE_KEYS: readonly string[] = figuresFor([]).map(({ key }) => key);
