import type { Figure, Found } from "../figure.ts";
import { rebakeWithStore } from "../methods/kiln.ts";
import type { Baked } from "../methods/kiln-command.ts";
import type { PublishedSteps, WholeImage } from "../methods/published.ts";

/** Phases between the last compile and the digest in the registry. */
const SHIPPING = ["gocache", "layers", "push", "compose"];

/** `ship`: from the last compile to the digest in the registry, after one module changed. */
export function ship(published: PublishedSteps): Figure {
  return {
    key: "ship",
    bounds: [
      { name: "wall", about: "last compile to digest, of published", limit: 0.15, unit: "x" },
      { name: "bytes", about: "bytes into the registry, of published", limit: 0.1, unit: "x" },
    ],
    needs: [published.image, rebakeWithStore],
    find: ({ result }) => shipOf(result(published.image), result(rebakeWithStore)),
  };
}

/**
 * The ratios. The published method ships both whole caches whatever changed, since each of its runs merges them anew; a bake
 * the layers that changed.
 */
export function shipOf(
  published: Pick<WholeImage, "build" | "push" | "pushedBytes">,
  rebaked: Pick<Baked, "seconds" | "pushedBytes">,
): Found {
  const wall = SHIPPING.reduce((total, phase) => total + (rebaked.seconds[phase] ?? 0), 0);
  const whole = published.build + published.push;
  return {
    values: { wall: wall / whole, bytes: rebaked.pushedBytes / published.pushedBytes },
    figures: {
      ship_published_docker_build_seconds: published.build,
      ship_published_docker_push_seconds: published.push,
      ship_published_seconds: whole,
      ship_kiln_seconds: wall,
      ship_published_bytes: published.pushedBytes,
      ship_kiln_bytes: rebaked.pushedBytes,
    },
  };
}
