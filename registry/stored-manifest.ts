import { createHash } from "node:crypto";
import { OCI, regctl, type Descriptor, type ImageManifest, type RegistryClient } from "./client.ts";
import { formatReference, type ImageReference } from "./image-reference.ts";

/** A manifest in a repository, of an image, of an index or of something attached: what it refers to, and what it costs. */
export interface StoredManifest {
  readonly repository: string;
  readonly digest: string;
  /** The tags that point to it. */
  readonly tags: readonly string[];
  /** Of an index the manifests that it lists. */
  readonly children: readonly string[];
  /** Of an image its layers in order. */
  readonly layers: readonly string[];
  /** Config, layers and the manifest itself, each once; compressed bytes. */
  readonly blobs: readonly Pick<Descriptor, "digest" | "size">[];
  /** Of an image its config, where labels stand. */
  readonly config?: string;
  /** What it is attached to. */
  readonly subject?: string;
}

/** Reads any manifest; nothing where the repository does not have it. */
export async function readStoredManifest(
  client: RegistryClient,
  reference: ImageReference,
  tags: readonly string[] = [],
): Promise<StoredManifest | undefined> {
  const args = ["manifest", "get", "--format", "raw-body", formatReference(reference)];
  const result = await regctl(client, reference.repository, args, { allowMissing: true });
  return result && storedManifest(reference, result.stdout, tags);
}

/** The descriptor of any manifest, of an index too; nothing where the repository does not have it. */
export async function readDescriptor(
  client: RegistryClient,
  { repository, digest }: ImageReference & { readonly digest: string },
): Promise<Descriptor | undefined> {
  const args = ["manifest", "get", "--format", "raw-body", formatReference({ repository, digest })];
  const result = await regctl(client, repository, args, { allowMissing: true });
  if (result === undefined) return undefined;
  const { mediaType = OCI.manifest } = JSON.parse(result.stdout) as Partial<ImageManifest>;
  return { mediaType, digest, size: Buffer.byteLength(result.stdout) };
}

/** What a manifest's text, byte by byte as the registry has it, says. Docker's older kinds have the same fields. */
export function storedManifest(reference: ImageReference, text: string, tags: readonly string[]): StoredManifest {
  const { repository } = reference;
  const { config, layers, manifests, subject } = JSON.parse(text) as Partial<ImageManifest> & {
    readonly manifests?: readonly Descriptor[];
  };
  const digest = reference.digest ?? `sha256:${createHash("sha256").update(text).digest("hex")}`;
  const all = [{ digest, size: Buffer.byteLength(text) }, ...(config === undefined ? [] : [config]), ...(layers ?? [])];
  return {
    ...{ repository, digest, tags },
    children: (manifests ?? []).map((child) => child.digest),
    layers: (layers ?? []).map((layer) => layer.digest),
    blobs: [...new Map(all.map((blob) => [blob.digest, { digest: blob.digest, size: blob.size }])).values()],
    ...(config === undefined ? {} : { config: config.digest }),
    ...(subject === undefined ? {} : { subject: subject.digest }),
  };
}
