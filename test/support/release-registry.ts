import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { CONTRACT_LABEL } from "../../cache/contract.ts";
import { attachDocument } from "../../registry/attach-document.ts";
import { OCI, type Descriptor, type RegistryClient } from "../../registry/client.ts";
import { CONTRACT } from "./warm-image.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";

/** Digits of a name, as many as the tags of kiln have. */
export const keyOf = (name: string) => hash(name).slice(0, 32);

/** `sha256:` and the digits of some bytes. */
export const digestOf = (bytes: string | Buffer) => `sha256:${hash(bytes)}`;

function hash(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const imageOf = (config: Descriptor, layers: readonly Descriptor[]) =>
  ({ schemaVersion: 2, mediaType: OCI.manifest, config, layers }) as const;

/** A repository of a running registry that a test fills with tiny releases, tagged as kiln tags, and looks into. */
export class ReleaseRegistry {
  /** With the registry's `host:port`. */
  readonly repository: string;
  /** Digests of all manifests that were put, by what the test calls them: `image 3`, `record 3`, `aws 3`. */
  readonly manifests = new Map<string, string>();
  readonly #client: RegistryClient;

  constructor(client: RegistryClient, repository: string) {
    this.#client = client;
    this.repository = repository;
  }

  /** A warm image of three layers, each also by itself under its tag, with a record, and the tags of a bake. */
  async putRelease(number: number): Promise<void> {
    const [common, aws] = [`common ${Math.ceil(number / 5)}`, `aws ${number}`];
    const layers = [
      await this.#putLayer("base", `base-${keyOf("base").slice(0, 16)}`),
      await this.#putLayer(common, `layer-common-${keyOf(common)}`),
      await this.#putLayer(aws, `layer-aws-${keyOf(aws)}`),
    ];
    const labels = { [CONTRACT_LABEL]: JSON.stringify(CONTRACT), "dev.kiln.modules": `m/aws/${number}` };
    const config = {
      ...{ architecture: "amd64", os: "linux", config: { Labels: labels } },
      rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    };
    const manifest = imageOf(await this.#putBlob(OCI.config, Buffer.from(JSON.stringify(config))), layers);
    await this.#putManifest(`image ${number}`, manifest, `inputs-${keyOf(`${number}`)}`, `verified-aws-${keyOf(aws)}`);
    const image = this.digest(`image ${number}`);
    const record = { version: 1, image, contract: CONTRACT, compileActions: 0, programs: [`m/aws/${number}`] };
    const type = "application/vnd.kiln.verification.v1+json";
    await this.attach(`record ${number}`, `image ${number}`, type, JSON.stringify(record));
  }

  /** Attaches a text to a manifest; `list of NAME` is what the fallback tag names then. */
  async attach(name: string, to: string, type: string, text: string): Promise<void> {
    const subject = { repository: this.repository, digest: this.digest(to) };
    this.manifests.set(name, await attachDocument(this.#client, subject, type, text));
    this.manifests.set(`list of ${name}`, digestOf(await this.#read(subject.digest.replace(":", "-"))));
  }

  /** Attaches as older tools do, by a tag alone. */
  async attachByTag(name: string, to: string): Promise<void> {
    const blob = await this.#putBlob(OCI.layer, Buffer.from(name));
    await this.#putManifest(name, imageOf(blob, [blob]), `${this.digest(to).replace(":", "-")}.sig`);
  }

  async putIndex(name: string, of: string, tag: string): Promise<void> {
    const platform = { os: "linux", architecture: "amd64" };
    const size = Buffer.byteLength(await this.#read(this.digest(of)));
    const manifests = [{ mediaType: OCI.manifest, digest: this.digest(of), size, platform }];
    const index = { schemaVersion: 2, mediaType: INDEX, manifests };
    await this.#putManifest(name, index, tag);
  }

  async tag(name: string, tag: string): Promise<void> {
    await this.#putManifest(name, JSON.parse(await this.#read(this.digest(name))) as { mediaType: string }, tag);
  }

  digest(name: string): string {
    return this.manifests.get(name) ?? `no ${name}`;
  }

  /** The manifests that are there, by what the test calls them. */
  async present(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const [name, digest] of this.manifests) {
      const headers = { accept: `${OCI.manifest}, ${INDEX}` };
      if ((await fetch(this.#address("manifests", digest), { method: "HEAD", headers })).ok) found.push(name);
    }
    return found.sort();
  }

  async tags(): Promise<readonly string[]> {
    return ((await (await fetch(this.#address("tags", "list"))).json()) as { tags: readonly string[] }).tags;
  }

  /** Digests of the blobs of an image that are not there, or are not what their digests say. */
  async missingBlobs(name: string): Promise<readonly string[]> {
    const image = JSON.parse(await this.#read(this.digest(name))) as ReturnType<typeof imageOf>;
    const missing: string[] = [];
    for (const { digest } of [image.config, ...image.layers]) {
      const answer = await fetch(this.#address("blobs", digest));
      if (digestOf(Buffer.from(await answer.arrayBuffer())) !== digest) missing.push(digest);
    }
    return missing;
  }

  /** Whether the bytes of a layer are there. */
  async hasLayer(name: string): Promise<boolean> {
    return (await fetch(this.#address("blobs", digestOf(layerBytes(name))), { method: "HEAD" })).ok;
  }

  async #putLayer(name: string, tag: string): Promise<Descriptor> {
    const layer = await this.#putBlob(OCI.layer, layerBytes(name));
    const config = await this.#putBlob(OCI.config, Buffer.from(JSON.stringify({ layer: name })));
    await this.#putManifest(name, imageOf(config, [layer]), tag);
    return layer;
  }

  async #putBlob(mediaType: string, bytes: Buffer): Promise<Descriptor> {
    const digest = digestOf(bytes);
    const { headers } = await fetch(this.#address("blobs", "uploads", ""), { method: "POST" });
    const upload = new URL(headers.get("location") ?? "", this.#address());
    upload.searchParams.set("digest", digest);
    await created(fetch(upload, { method: "PUT", body: new Uint8Array(bytes) }));
    return { mediaType, digest, size: bytes.length };
  }

  async #putManifest(name: string, manifest: { readonly mediaType: string }, ...tags: string[]): Promise<void> {
    const body = JSON.stringify(manifest);
    const headers = { "content-type": manifest.mediaType };
    for (const tag of tags) await created(fetch(this.#address("manifests", tag), { method: "PUT", headers, body }));
    this.manifests.set(name, digestOf(body));
  }

  async #read(reference: string): Promise<string> {
    const headers = { accept: `${OCI.manifest}, ${INDEX}` };
    return (await fetch(this.#address("manifests", reference), { headers })).text();
  }

  #address(...parts: readonly string[]): string {
    const [host = "", ...rest] = this.repository.split("/");
    return `http://${host}/v2/${[...rest, ...parts].join("/")}`;
  }
}

function layerBytes(name: string): Buffer {
  return gzipSync(Buffer.from(`bytes of ${name}`));
}

async function created(answer: Promise<Response>): Promise<void> {
  const { status } = await answer;
  if (status !== 201) throw new Error(`the registry answered ${status}`);
}
