import { MODULES_LABEL } from "./contract.ts";
import { stat } from "node:fs/promises";
import path from "node:path";
import type { Image } from "../registry/compose.ts";
import { imageLayers } from "./image-layers.ts";
import { partition } from "./layers.ts";
import type { CacheManifest } from "./manifest.ts";
import { readModuleMetadata, readModuleTree } from "./store.ts";

/** One layer of a cache or an image, as a report shows it. */
export interface ReportedLayer {
  readonly name: string;
  /** Bytes of the files inside for a cache directory; compressed bytes as they travel for an image. */
  readonly bytes: number;
  /** What it holds, in words. */
  readonly holds: string;
  /** For an image, `sha256:…` of the compressed layer. */
  readonly digest?: string;
  /** Whether the other image of a comparison has it too, so that it need not be pulled again. */
  readonly shared?: boolean;
}

export interface CacheReport {
  readonly programs: readonly string[];
  readonly layers: readonly ReportedLayer[];
  readonly bytes: number;
  /** Bytes that somebody pulls who has the other image already. */
  readonly bytesToPull?: number;
}

/** What a cache directory holds, by the layers that it would become. */
export async function reportCache(directory: string, manifest: CacheManifest): Promise<CacheReport> {
  const goMod = path.join(directory, "go-mod");
  const layers = await Promise.all(
    partition(manifest).map(async (layer): Promise<ReportedLayer> => {
      const modules = await Promise.all([
        ...layer.goMod.map((module) => readModuleTree(goMod, module)),
        ...[...layer.goMod, ...layer.goModMetadata].map((module) => readModuleMetadata(goMod, module)),
      ]);
      const files = [
        ...layer.goBuild.map((name) => path.join(directory, "go-build", name)),
        ...modules.flat().map((name) => path.join(goMod, name)),
      ];
      let bytes = 0;
      for (const file of files) bytes += (await stat(file)).size;
      return {
        name: layer.name,
        bytes,
        holds: `${layer.goBuild.length} build entries, ${layer.goMod.length} Go modules`,
      };
    }),
  );
  return { programs: manifest.modules, layers, bytes: total(layers) };
}

/** What an image holds, by its layers; against another image, what is new to somebody who has that one. */
export function reportImage(image: Image, against?: Image): CacheReport {
  const known = new Set(against?.manifest.layers.map(({ digest }) => digest));
  const layers = imageLayers(image).map(({ cacheLayer, createdBy, digest, size }): ReportedLayer => ({
    name: cacheLayer ?? "base",
    bytes: size,
    holds: cacheLayer === undefined ? createdBy.slice(0, 60) : "caches",
    digest,
    ...(against === undefined ? {} : { shared: known.has(digest) }),
  }));
  const programs = (image.config.config?.Labels?.[MODULES_LABEL] ?? "").split(",").filter((name) => name !== "");
  const bytesToPull = total(layers.filter(({ shared }) => shared !== true));
  return { programs, layers, bytes: total(layers), ...(against === undefined ? {} : { bytesToPull }) };
}

function total(layers: readonly ReportedLayer[]): number {
  return layers.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The rows of a report, head first, for a table of text or HTML. */
export function reportRows(report: CacheReport, size: (bytes: number) => string): readonly (readonly string[])[] {
  const compared = report.bytesToPull !== undefined;
  return [
    ["layer", "size", ...(compared ? ["to pull"] : []), "holds"],
    ...report.layers.map(({ name, bytes, holds, shared }) => [
      name,
      size(bytes),
      ...(compared ? [shared === true ? "-" : size(bytes)] : []),
      holds,
    ]),
    [
      "total",
      size(report.bytes),
      ...(compared ? [size(report.bytesToPull)] : []),
      `${report.programs.length} programs`,
    ],
  ];
}
