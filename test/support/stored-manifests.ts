import type { StoredManifest } from "../../registry/stored-manifest.ts";

/** Manifests of a test, named by letters that can be read again from their digests; two repositories to put them in. */
export const WARM = "localhost:5180/kiln/warm";
export const RUNNER = "localhost:5180/kiln/runner";
export const HOUR = 3_600_000;
export const NOW = 1000 * HOUR;

export const digest = (name: string) => `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64)}`;
/** 32 digits, as the tags of kiln have them. */
export const hex = (name: string) => digest(name).slice(7, 39);
export const layerTag = (name: string) => `layer-${name}-${hex(name)}`;

/** A manifest of that name: `layers` cost 100 bytes each, the manifest itself 1. */
export function manifest(name: string, fields: Partial<StoredManifest> = {}): StoredManifest {
  const { repository = WARM, layers = [], ...others } = fields;
  const blobs = [{ digest: digest(name), size: 1 }, ...layers.map((layer) => ({ digest: layer, size: 100 }))];
  return { ...{ repository, digest: digest(name), tags: [], children: [], layers, blobs }, ...others };
}

/** The name that a digest was made of. */
export function nameOf(found: string): string {
  return Buffer.from(found.slice("sha256:".length), "hex").toString().replace(/\0+$/, "");
}
