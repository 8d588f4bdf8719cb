import type { Figure } from "../figure.ts";
import { mergeMany, planThousand } from "../methods/scale.ts";

const MEGABYTE = 1e6;

/** `planning` and `merging`: large repositories. Memory is kiln's own, without the Go commands that it runs. */
export const scale: readonly Figure[] = [
  row("planning", "1,000 modules", 10, planThousand),
  row("merging", "200,000 entries", 30, mergeMany),
];

function row(key: string, about: string, limit: number, step: typeof planThousand): Figure {
  return {
    key,
    bounds: [
      { name: "seconds", about, limit, unit: "s" },
      { name: "memory", about: "kiln's own memory", limit: 400, unit: "MB" },
    ],
    needs: [step],
    find({ result }) {
      const { seconds, peakBytes } = result(step);
      return {
        values: { seconds, memory: peakBytes / MEGABYTE },
        figures: { [`${key}_seconds`]: seconds, [`${key}_peak_bytes`]: peakBytes },
      };
    },
  };
}
