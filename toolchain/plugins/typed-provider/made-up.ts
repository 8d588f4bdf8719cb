import { createHash } from "node:crypto";
import { UNKNOWN, type Properties } from "../property-values.ts";
import type { Members, Shape } from "./declared-types.ts";

/** A number of six digits that is always the same for `seed`: what a loopback plugin gives for an identifier. */
export function madeUpNumber(seed: string): number {
  return 100_000 + (createHash("sha256").update(seed).digest().readUInt32BE() % 900_000);
}

/** Values for the outputs that every existing resource has and the inputs do not give: made up, but stable for its URN. */
export function madeUpOutputs(outputs: Members, inputs: Properties, urn: string): Properties {
  return filled(outputs, inputs, (name, shape) => valueFor(shape, `${urn}#${name}`, name));
}

/** The same outputs at a preview, when nobody knows them. */
export function unknownOutputs(outputs: Members, inputs: Properties): Properties {
  return filled(outputs, inputs, () => UNKNOWN);
}

function filled(outputs: Members, inputs: Properties, valueOf: (name: string, shape: Shape) => unknown): Properties {
  const missing = Object.entries(outputs).filter(([name, { required }]) => required && inputs[name] === undefined);
  return Object.fromEntries(missing.map(([name, { shape }]) => [name, valueOf(name, shape)]));
}

function valueFor(shape: Shape, seed: string, name: string): unknown {
  switch (shape.kind) {
    case "text":
      return `loopback-${name}-${madeUpNumber(seed)}`;
    case "number":
      return madeUpNumber(seed);
    case "flag":
      return false;
    case "list":
      return [];
    case "map":
    case "object":
    case "any":
      return {};
  }
}
