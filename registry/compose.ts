import { KilnError } from "../errors.ts";
import {
  copyBlob,
  OCI,
  pushDocument,
  pushManifest,
  readImageConfig,
  readImageManifest,
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
  type RegistryClient,
} from "./client.ts";
import type { ImageReference } from "./image-reference.ts";

/** A manifest with its config: all that there is to an image besides its layers' bytes. */
export interface Image {
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/** What a composed image says besides its base. */
export interface ComposedSettings {
  readonly labels: Readonly<Record<string, string>>;
  /** Variables of its containers. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The image that has the base's layers and then those of each single-layer image, with the base's settings and more
 * labels and variables. Pure; the same inputs give the same documents. Throws a usage error where platforms differ.
 */
export function composeImage(
  base: Image,
  layers: readonly Image[],
  { labels, environment = {} }: ComposedSettings,
): { readonly config: ImageConfig; readonly layers: readonly Descriptor[] } {
  for (const layer of layers) {
    const [wanted, found] = [base.config, layer.config].map(({ os, architecture }) => `${os}/${architecture}`);
    if (wanted !== found) {
      throw new KilnError("usage", `a layer is for ${found ?? ""}, the base for ${wanted ?? ""}`, {
        mend: "Warm the layers for the base's platform.",
      });
    }
  }
  const parts = [base, ...layers];
  const variables = (base.config.config?.Env as readonly string[] | undefined) ?? [];
  const kept = variables.filter((variable) => !Object.hasOwn(environment, variable.split("=", 1)[0] ?? ""));
  const Env = [...kept, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
  // What a build left in the base's config (its container, its cache) says nothing of the composed image.
  const { architecture, os, created, author, variant } = base.config as ImageConfig & Record<string, unknown>;
  return {
    config: {
      ...{ architecture, os },
      ...(created === undefined ? {} : { created }),
      ...(author === undefined ? {} : { author }),
      ...(variant === undefined ? {} : { variant }),
      config: {
        ...base.config.config,
        ...(Env.length > 0 ? { Env } : {}),
        Labels: { ...base.config.config?.Labels, ...labels },
      },
      rootfs: { type: "layers", diff_ids: parts.flatMap(({ config }) => config.rootfs.diff_ids) },
      history: parts.flatMap(({ config }) => config.history ?? []),
    },
    layers: parts.flatMap(({ manifest }) => manifest.layers.map(ociLayer)),
  };
}

function ociLayer({ mediaType, digest, size }: Descriptor): Descriptor {
  if (mediaType.includes("zstd")) return { mediaType, digest, size };
  return { mediaType: mediaType.endsWith("tar") ? OCI.plainLayer : OCI.layer, digest, size };
}

/** Puts an image together in a registry from a base and single-layer images. No layer bytes move. Returns its digest. */
export async function composeInRegistry(
  client: RegistryClient,
  options: {
    readonly base: ImageReference;
    readonly layers: readonly ImageReference[];
    readonly to: ImageReference;
    readonly platform: string;
    readonly settings: ComposedSettings;
    /** Throws where the layers and the base do not fit together, by what their labels say. */
    readonly check?: (base: ImageConfig, layers: readonly ImageConfig[]) => void;
  },
): Promise<string> {
  const { to } = options;
  const sources = [options.base, ...options.layers];
  const images = await Promise.all(sources.map((reference) => readImage(client, reference, options.platform)));
  const [base, ...layers] = images;
  if (!base) throw new KilnError("usage", "nothing to compose");
  options.check?.(
    base.config,
    layers.map(({ config }) => config),
  );
  const composed = composeImage(base, layers, options.settings);
  for (const [index, source] of sources.entries()) {
    for (const { digest } of images[index]?.manifest.layers ?? []) {
      await copyBlob(client, source.repository, to.repository, digest);
    }
  }
  const config = await pushDocument(client, to.repository, OCI.config, JSON.stringify(composed.config));
  return pushManifest(client, to, { schemaVersion: 2, mediaType: OCI.manifest, config, layers: composed.layers });
}

/** Reads an image's manifest and config; of an index, those for `platform`. */
export async function readImage(client: RegistryClient, reference: ImageReference, platform?: string): Promise<Image> {
  const manifest = await readImageManifest(client, reference, platform);
  return { manifest, config: await readImageConfig(client, reference.repository, manifest) };
}
