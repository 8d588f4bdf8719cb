import { createHash } from "node:crypto";
import { KilnError } from "../../errors.ts";
import type { ImageConfig, ImageManifest, RegistryClient } from "../../registry/client.ts";
import { formatReference, registryHost, type ImageReference } from "../../registry/image-reference.ts";

interface Repository {
  readonly blobs: Map<string, string>;
  readonly manifests: Map<string, string>;
  readonly tags: Map<string, string>;
}

const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** Registries in memory, behind the functions of registry/client.ts that copying and promoting call: `vi.mock` puts it there. */
export class MemoryRegistry {
  readonly client: RegistryClient = { regctl: "none" };
  /** Every call that changes something, as `verb repository`. */
  readonly writes: string[] = [];
  /** Hosts that take no push, and hosts that answer nothing. */
  readonly readOnly = new Set<string>();
  readonly down = new Set<string>();
  /** A digest at whose copy the connection breaks off. */
  breaksAt: string | undefined;
  readonly #repositories = new Map<string, Repository>();

  repository(name: string): Repository {
    if (this.down.has(registryHost(name))) {
      throw new KilnError("unreachable", `the registry ${registryHost(name)} does not answer`);
    }
    const found = this.#repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    this.#repositories.set(name, found);
    return found;
  }

  putBlob(repository: string, text: string) {
    const digest = digestOf(text);
    this.repository(repository).blobs.set(digest, text);
    return { mediaType: "x", digest, size: text.length };
  }

  putManifest(repository: string, manifest: ImageManifest, tag?: string): string {
    const text = JSON.stringify(manifest);
    const digest = digestOf(text);
    this.repository(repository).manifests.set(digest, text);
    if (tag !== undefined) this.repository(repository).tags.set(tag, digest);
    return digest;
  }

  #digest({ repository, tag, digest }: ImageReference): string | undefined {
    const { manifests, tags } = this.repository(repository);
    const found = digest ?? tags.get(tag ?? "latest");
    return found !== undefined && manifests.has(found) ? found : undefined;
  }

  #manifest(reference: ImageReference): ImageManifest {
    const text = this.repository(reference.repository).manifests.get(this.#digest(reference) ?? "");
    if (text === undefined) throw new KilnError("failed", `no ${formatReference(reference)}`);
    return JSON.parse(text) as ImageManifest;
  }

  #write(verb: string, repository: string): Repository {
    if (this.readOnly.has(registryHost(repository))) {
      throw new KilnError("unreachable", `the registry ${registryHost(repository)} is read-only`);
    }
    this.writes.push(`${verb} ${repository}`);
    return this.repository(repository);
  }

  #referrers(image: ImageReference, artifactType?: string): readonly string[] {
    return [...this.repository(image.repository).manifests].flatMap(([digest, text]) => {
      const manifest = JSON.parse(text) as ImageManifest;
      const asked = artifactType === undefined || manifest.artifactType === artifactType;
      return manifest.subject?.digest === image.digest && asked ? [digest] : [];
    });
  }

  #copy(from: ImageReference, to: ImageReference): void {
    const manifest = this.#manifest(from);
    const target = this.repository(to.repository);
    for (const { digest } of [manifest.config, ...manifest.layers]) {
      target.blobs.set(digest, this.repository(from.repository).blobs.get(digest) ?? "");
    }
    const digest = this.putManifest(to.repository, manifest, to.tag);
    for (const referrer of this.#referrers({ ...from, digest })) {
      this.#copy({ repository: from.repository, digest: referrer }, { repository: to.repository, digest: referrer });
    }
    const suffixed = [...this.repository(from.repository).tags].filter(([tag]) =>
      tag.startsWith(digest.replace(":", "-")),
    );
    for (const [tag] of suffixed) this.#copy({ repository: from.repository, tag }, { repository: to.repository, tag });
  }

  /** The functions of registry/client.ts, on this memory. */
  readonly functions = {
    readDigest: (_: RegistryClient, reference: ImageReference) => promised(() => this.#digest(reference)),
    readReferrers: (_: RegistryClient, image: ImageReference, type?: string) =>
      promised(() => this.#referrers(image, type)),
    readTags: (_: RegistryClient, repository: string, pattern: string) =>
      promised(() =>
        [...this.repository(repository).tags.keys()].filter((tag) => new RegExp(`^${pattern}$`).test(tag)),
      ),
    readImageManifest: (_: RegistryClient, reference: ImageReference) => promised(() => this.#manifest(reference)),
    readImageConfig: (_: RegistryClient, repository: string, manifest: ImageManifest) =>
      promised(() => JSON.parse(this.repository(repository).blobs.get(manifest.config.digest) ?? "") as ImageConfig),
    readBlobText: (_: RegistryClient, repository: string, digest: string) =>
      promised(() => this.repository(repository).blobs.get(digest) ?? ""),
    hasBlob: (_: RegistryClient, repository: string, digest: string) =>
      promised(() => this.repository(repository).blobs.has(digest)),
    copyBlob: (_: RegistryClient, from: string, to: string, digest: string) =>
      promised(() => {
        if (digest === this.breaksAt) throw new KilnError("unreachable", "connection reset");
        this.#write("blob", to).blobs.set(digest, this.repository(from).blobs.get(digest) ?? "");
      }),
    copyWithReferrers: (_: RegistryClient, from: ImageReference, to: ImageReference) =>
      promised(() => {
        this.#write("image", to.repository);
        this.#copy(from, to);
      }),
  };
}

/** What a function gives or throws, as a promise does. */
function promised<T>(get: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(get());
  });
}
