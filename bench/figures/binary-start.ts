import type { Figure, Found } from "../figure.ts";
import { binaries, type Binaries } from "../methods/binaries.ts";

/** `binary_start`: a prebuilt program in a container, to its first line. */
export const binaryStart: Figure = {
  key: "binary_start",
  bounds: [{ name: "", about: "the slowest prebuilt program, to its first line", limit: 0.1, unit: "s" }],
  needs: [binaries],
  find: ({ result }) => binaryStartOf(result(binaries)),
};

/** The slowest start, and what the binaries weigh as one file and as many. */
export function binaryStartOf({ starts, files, compared }: Pick<Binaries, "starts" | "files" | "compared">): Found {
  return {
    values: { "": Math.max(...Object.values(starts)) },
    figures: {
      binary_start_seconds: starts,
      binary_files_bytes: files,
      [`binary_compared_${compared.provider}_programs`]: compared.programs,
      binary_multi_call_bytes: compared.multiCall,
      binary_multi_call_gzip_bytes: compared.multiCallGzip,
      binary_separate_bytes: compared.separate,
      binary_separate_gzip_bytes: compared.separateGzip,
      binary_separate_link_seconds: compared.separateLinkSeconds,
    },
  };
}
