import type { Figure, Found, Results } from "../figure.ts";
import type { ProgramBuilds } from "../methods/builds.ts";
import type { BuildSteps } from "../methods/build-steps.ts";

/** `first_build` and `edited_build`: one module in a fresh container, as Pulumi builds it. */
export function builds(steps: Readonly<Record<"published" | "corrected" | "kiln", BuildSteps>>): readonly Figure[] {
  const needs = [steps.published.builds, steps.corrected.builds, steps.kiln.builds];
  return [
    {
      key: "first_build",
      bounds: [
        { name: "published", about: "unmodified module, of published", limit: 0.05, unit: "x" },
        { name: "corrected", about: "unmodified module, of corrected", limit: 0.35, unit: "x" },
        { name: "seconds", about: "the slowest of the modules", limit: 1, unit: "s" },
      ],
      needs: [...needs, steps.published.pinned],
      find({ result }) {
        const found = measuredBy(result);
        const own = sum(found.kiln, "first");
        return {
          values: {
            published: own / sum(found.published, "first"),
            corrected: own / sum(found.corrected, "first"),
            seconds: Math.max(...found.kiln.map(({ first }) => first)),
          },
          figures: {
            ...shown("first_build", "first", found),
            first_build_published_compile_actions: compiled(found.published),
            first_build_corrected_compile_actions: compiled(found.corrected),
            first_build_kiln_compile_actions: compiled(found.kiln),
            first_build_published_with_this_pulumi_seconds: result(steps.published.pinned),
          },
        };
      },
    },
    {
      key: "edited_build",
      bounds: [
        { name: "published", about: "edited main.go, of published", limit: 0.15, unit: "x" },
        { name: "corrected", about: "edited main.go, of corrected", limit: 1.3, unit: "x" },
      ],
      needs,
      find({ result }) {
        const found = measuredBy(result);
        const own = sum(found.kiln, "edited");
        return {
          values: { published: own / sum(found.published, "edited"), corrected: own / sum(found.corrected, "edited") },
          figures: shown("edited_build", "edited", found),
        };
      },
    },
  ];

  function measuredBy(result: Results["result"]): Measured {
    return {
      published: result(steps.published.builds),
      corrected: result(steps.corrected.builds),
      kiln: result(steps.kiln.builds),
    };
  }
}

type Measured = Readonly<Record<"published" | "corrected" | "kiln", readonly ProgramBuilds[]>>;

/** Seconds of all programs of the sample together: a ratio of sums gives each its weight. */
export function sum(programs: readonly ProgramBuilds[], which: "first" | "edited"): number {
  return programs.reduce((total, program) => total + program[which], 0);
}

function shown(key: string, which: "first" | "edited", measured: Measured): Found["figures"] {
  return Object.fromEntries(
    Object.entries(measured).map(([method, programs]) => [
      `${key}_${method}_seconds`,
      Object.fromEntries(programs.map((program) => [program.directory, program[which]])),
    ]),
  );
}

function compiled(programs: readonly ProgramBuilds[]): Found["figures"] {
  return Object.fromEntries(programs.map(({ directory, compiled: actions }) => [directory, actions]));
}
