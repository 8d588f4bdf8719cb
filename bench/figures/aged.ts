import { KilnError } from "../../errors.ts";
import type { Figure, Found } from "../figure.ts";
import type { BuildSteps } from "../methods/build-steps.ts";
import type { AgedBuilds } from "../methods/builds.ts";

/** `aged`: compile actions of the second module in an image of day 400. */
export function aged(steps: Readonly<Record<"published" | "corrected" | "kiln", BuildSteps>>): Figure {
  const methods = ["published", "corrected", "kiln"] as const;
  return {
    key: "aged",
    bounds: [
      { name: "read_only", about: "compile actions of two modules, read-only root, random uid", limit: 0, unit: "" },
      { name: "writable", about: "compile actions of two modules, writable root", limit: 0, unit: "" },
    ],
    needs: methods.map((method) => steps[method].aged),
    find: ({ result }) =>
      agedOf({
        published: result(steps.published.aged),
        corrected: result(steps.corrected.aged),
        kiln: result(steps.kiln.aged),
      }),
  };
}

/** Compile actions in kiln's image, and those in the other images beside them. Throws where kiln's could not build. */
export function agedOf(found: Readonly<Record<"published" | "corrected" | "kiln", AgedBuilds>>): Found {
  const [error] = [...found.kiln.readOnly.errors, ...found.kiln.writable.errors];
  if (error !== undefined) throw new KilnError("failed", `in kiln's image of day 400: ${error}`);
  const actions = ({ compiled }: AgedBuilds["readOnly"]) => compiled.reduce((total, count) => total + count, 0);
  return {
    values: { read_only: actions(found.kiln.readOnly), writable: actions(found.kiln.writable) },
    figures: Object.fromEntries(
      Object.entries(found).flatMap(([method, { readOnly, writable }]) => [
        [`aged_${method}_read_only_compile_actions`, readOnly.compiled],
        [`aged_${method}_read_only_seconds`, readOnly.seconds],
        ...(readOnly.errors.length > 0 ? [[`aged_${method}_read_only_errors`, readOnly.errors]] : []),
        [`aged_${method}_writable_compile_actions`, writable.compiled],
        [`aged_${method}_writable_seconds`, writable.seconds],
        ...(writable.errors.length > 0 ? [[`aged_${method}_writable_errors`, writable.errors]] : []),
      ]),
    ) as Found["figures"],
  };
}
