import type { Figure, Found } from "../figure.ts";
import { coldBake, rebakeFromRegistry, rebakeWithStore } from "../methods/kiln.ts";
import type { Baked } from "../methods/kiln-command.ts";

/** Phases that a cold bake on a fresh registry has, and a second one has not: they would flatter the ratio. */
const ONCE = ["base image", "plugins"];

/** `rebake_one_module`: a bake after one module changed, of a cold one. */
export const rebakeOneModule: Figure = {
  key: "rebake_one_module",
  bounds: [
    { name: "store", about: "with the store, of a cold bake", limit: 0.1, unit: "x" },
    { name: "registry", about: "from registry layers only, of a cold bake", limit: 0.15, unit: "x" },
  ],
  needs: [coldBake, rebakeWithStore, rebakeFromRegistry],
  find: ({ result }) => rebakeOf(result(coldBake), result(rebakeWithStore), result(rebakeFromRegistry)),
};

/** The ratios: whole bakes, verification included, without what only the first one on a registry does. */
export function rebakeOf(cold: TimedBake, withStore: TimedBake, fromRegistry: TimedBake): Found {
  const seconds = (bake: TimedBake) => bake.wall - ONCE.reduce((total, phase) => total + (bake.seconds[phase] ?? 0), 0);
  return {
    values: { store: seconds(withStore) / seconds(cold), registry: seconds(fromRegistry) / seconds(cold) },
    figures: {
      rebake_cold_seconds: seconds(cold),
      rebake_store_seconds: seconds(withStore),
      rebake_store_phases_seconds: withStore.seconds,
      rebake_registry_seconds: seconds(fromRegistry),
      rebake_registry_phases_seconds: fromRegistry.seconds,
    },
  };
}

type TimedBake = Pick<Baked, "wall" | "seconds">;
