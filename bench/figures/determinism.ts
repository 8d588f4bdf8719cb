import { KilnError } from "../../errors.ts";
import type { Figure, Found } from "../figure.ts";
import { coldBake, secondBake } from "../methods/kiln.ts";
import type { Baked } from "../methods/kiln-command.ts";

/** `determinism`: layers that differ between two cold bakes of the same programs. */
export const determinism: Figure = {
  key: "determinism",
  bounds: [{ name: "", about: "layers that differ between two cold bakes", limit: 0, unit: "" }],
  needs: [coldBake, secondBake],
  find: ({ result }) => determinismOf(result(coldBake), result(secondBake)),
};

/** How many layers of one bake the other has not, or has with another digest. */
export function determinismOf(first: Pick<Baked, "layers">, second: Pick<Baked, "layers">): Found {
  const named = (bake: Pick<Baked, "layers">) => new Map(bake.layers.map(({ name, digest }) => [name, digest]));
  const [one, other] = [named(first), named(second)];
  const names = [...new Set([...one.keys(), ...other.keys()])].sort();
  const differing = names.filter((name) => one.get(name) !== other.get(name));
  if (names.length === 0) throw new KilnError("failed", "the bakes have no layers");
  return {
    values: { "": differing.length },
    figures: { determinism_layers: names.length, determinism_differing_layers: differing },
  };
}
