import { describe, expect, it } from "vitest";
import { reportImage, reportRows } from "../../../cache/report.ts";
import type { Image } from "../../../registry/compose.ts";

const layer = (digest: string, size: number) => ({ mediaType: "layer", digest, size });

function image(layers: readonly [string, number, string][]): Image {
  return {
    manifest: {
      schemaVersion: 2,
      config: layer("config", 1),
      layers: layers.map(([digest, size]) => layer(digest, size)),
    },
    config: {
      architecture: "amd64",
      os: "linux",
      config: { Labels: { "dev.kiln.modules": "aws/a,gcp/b" } },
      rootfs: { type: "layers", diff_ids: [] },
      history: layers.flatMap(([, , step]) => [{ created_by: step }, { created_by: "ENV", empty_layer: true }]),
    },
  };
}

const warm = image([
  ["sha256:1", 100, "COPY /usr/local/go"],
  ["sha256:2", 40, "kiln cache layers: common"],
  ["sha256:3", 7, "kiln cache layers: aws"],
]);

describe("reportImage", () => {
  it("names cache layers by their provider, past steps of the history that made no layer", () => {
    const { layers, bytes, programs, bytesToPull } = reportImage(warm);
    expect(layers.map(({ name, bytes: size }) => [name, size])).toEqual([
      ["base", 100],
      ["common", 40],
      ["aws", 7],
    ]);
    expect({ bytes, programs, bytesToPull }).toEqual({
      bytes: 147,
      programs: ["aws/a", "gcp/b"],
      bytesToPull: undefined,
    });
  });

  it("against another image counts only the layers that it lacks", () => {
    const older = image([
      ["sha256:1", 100, "COPY /usr/local/go"],
      ["sha256:2", 40, "kiln cache layers: common"],
      ["sha256:9", 8, "kiln cache layers: aws"],
    ]);
    const report = reportImage(warm, older);
    expect(report.bytesToPull).toBe(7);
    expect(reportRows(report, String)).toEqual([
      ["layer", "size", "to pull", "holds"],
      ["base", "100", "-", "COPY /usr/local/go"],
      ["common", "40", "-", "caches"],
      ["aws", "7", "7", "caches"],
      ["total", "147", "7", "2 programs"],
    ]);
  });
});
