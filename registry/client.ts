import { KilnError } from "../errors.ts";
import { networkMend } from "../toolchain/network.mjs";
import { run, type RunResult } from "../toolchain/process.ts";
import { formatReference, registryHost, type ImageReference } from "./image-reference.ts";
import { isLoopback } from "./repository-names.ts";

/** The registry client: regctl, which knows Docker's logins and credential helpers, mounts, and referrers (docs/adr/0006). */
export interface RegistryClient {
  readonly regctl: string;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How one layer, or with `empty_layer` none, came to be. */
export interface HistoryStep {
  readonly created?: string;
  readonly created_by?: string;
  readonly empty_layer?: boolean;
  readonly comment?: string;
}

export interface ImageConfig {
  readonly created?: string;
  readonly architecture: string;
  readonly os: string;
  readonly config?: { readonly Labels?: Readonly<Record<string, string>>; readonly [key: string]: unknown };
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly string[] };
  readonly history?: readonly HistoryStep[];
  readonly [key: string]: unknown;
}

export const OCI = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  plainLayer: "application/vnd.oci.image.layer.v1.tar",
  empty: "application/vnd.oci.empty.v1+json",
} as const;

/** The digest that a reference has in its registry, or undefined where the registry has no such manifest. */
export async function readDigest(client: RegistryClient, reference: ImageReference): Promise<string | undefined> {
  const result = await regctl(client, reference.repository, ["manifest", "head", formatReference(reference)], {
    allowMissing: true,
  });
  return result?.stdout.trim();
}

/** The digests of what is attached to an image, by the referrers API or by the fallback tag, of one artifact type or of any. */
export async function readReferrers(
  client: RegistryClient,
  image: ImageReference,
  artifactType?: string,
): Promise<readonly string[]> {
  const flags = [
    ...(artifactType === undefined ? [] : ["--filter-artifact-type", artifactType]),
    "--format",
    "{{ range .Descriptors }}{{ println .Digest }}{{ end }}",
  ];
  const { stdout } = await regctl(client, image.repository, ["artifact", "list", ...flags, formatReference(image)]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** The tags of a repository whose whole name matches a regular expression. */
export async function readTags(
  client: RegistryClient,
  repository: string,
  pattern: string,
): Promise<readonly string[]> {
  const args = ["tag", "ls", "--include", pattern, repository];
  const result = await regctl(client, repository, args, { allowMissing: true });
  return (result?.stdout ?? "").split("\n").filter((line) => line !== "");
}

/** The manifest of one image; of an index, the one for `platform` (`linux/amd64`). */
export async function readImageManifest(
  client: RegistryClient,
  reference: ImageReference,
  platform?: string,
): Promise<ImageManifest> {
  const args = ["manifest", "get", "--format", "raw-body", ...(platform === undefined ? [] : ["--platform", platform])];
  const { stdout } = await regctl(client, reference.repository, [...args, formatReference(reference)]);
  const manifest = JSON.parse(stdout) as Partial<ImageManifest>;
  if (!manifest.config || !manifest.layers) {
    throw new KilnError("usage", `${formatReference(reference)} is not an image for one platform`);
  }
  return manifest as ImageManifest;
}

/** The config of an image, which holds its layers' diff IDs and labels. */
export async function readImageConfig(
  client: RegistryClient,
  repository: string,
  manifest: ImageManifest,
): Promise<ImageConfig> {
  return JSON.parse(await readBlobText(client, repository, manifest.config.digest)) as ImageConfig;
}

/** A blob as text: for documents, which are small. */
export async function readBlobText(client: RegistryClient, repository: string, digest: string): Promise<string> {
  return (await regctl(client, repository, ["blob", "get", repository, digest])).stdout;
}

/** Writes a blob to a file as the registry sends it: the caller compares it with the digest that it asked for. */
export async function readBlobFile(
  client: RegistryClient,
  repository: string,
  digest: string,
  file: string,
): Promise<void> {
  await regctl(client, repository, ["blob", "get", repository, digest], { outputFile: file });
}

/** Whether a repository has a blob. */
export async function hasBlob(client: RegistryClient, repository: string, digest: string): Promise<boolean> {
  return (await regctl(client, repository, ["blob", "head", repository, digest], { allowMissing: true })) !== undefined;
}

/** Uploads a file as a blob; one that the repository has already costs one request. */
export async function pushBlob(
  client: RegistryClient,
  repository: string,
  file: string,
  digest: string,
): Promise<void> {
  if (await hasBlob(client, repository, digest)) return;
  await regctl(client, repository, ["blob", "put", "--digest", digest, repository], { inputFile: file });
}

/** Uploads a small document as a blob and returns its descriptor. */
export async function pushDocument(
  client: RegistryClient,
  repository: string,
  mediaType: string,
  text: string,
): Promise<Descriptor> {
  const { stdout } = await regctl(client, repository, ["blob", "put", repository], { input: text });
  return { mediaType, digest: stdout.trim(), size: Buffer.byteLength(text) };
}

/** Makes a blob of one repository known in another; within one registry no bytes move. */
export async function copyBlob(client: RegistryClient, from: string, to: string, digest: string): Promise<void> {
  if (from === to) return;
  await regctl(client, to, ["blob", "copy", from, to, digest], {}, [from]);
}

/**
 * Copies an image's manifest, blobs that the target lacks, all referrers and digest tags, recursively. What is there
 * already is put again, so that a broken-off copy's listing under the fallback tag is completed too.
 */
export async function copyWithReferrers(
  client: RegistryClient,
  from: ImageReference,
  to: ImageReference,
): Promise<void> {
  const args = ["image", "copy", "--referrers", "--digest-tags", "--force-recursive"];
  await regctl(client, to.repository, [...args, formatReference(from), formatReference(to)], {}, [from.repository]);
}

/** Prints the digest of a manifest that was put. */
const DIGEST_FORMAT = "{{ .Manifest.GetDescriptor.Digest }}";

/** Uploads a manifest under a tag, or under its digest alone, and returns its digest. */
export async function pushManifest(
  client: RegistryClient,
  target: ImageReference,
  manifest: ImageManifest,
): Promise<string> {
  const byDigest = target.tag === undefined;
  const reference = byDigest ? target.repository : formatReference(target);
  const args = [
    "manifest",
    "put",
    "--content-type",
    manifest.mediaType ?? OCI.manifest,
    ...(byDigest ? ["--by-digest"] : []),
  ];
  const { stdout } = await regctl(client, target.repository, [...args, "--format", DIGEST_FORMAT, reference], {
    input: JSON.stringify(manifest),
  });
  return stdout.trim();
}

/** How registries say that they have no such thing. */
const MISSING = /not found|\b404\b|manifest unknown|blob unknown|name unknown/i;
/** What credential helpers say that are not installed, or know no login: no word about an image. */
const LOGIN_NOT_FOUND = /(?:executable file|credentials) not found/gi;

/**
 * Puts an index of images, which the repository has already, under a tag or under its digest alone, and returns that: one name
 * for several platforms. What each is for is read from the images themselves.
 */
export async function pushIndex(
  client: RegistryClient,
  target: ImageReference,
  digests: readonly string[],
): Promise<string> {
  const { repository, tag } = target;
  const place = tag === undefined ? ["--by-digest", repository] : [formatReference(target)];
  const images = digests.flatMap((digest) => ["--digest", digest]);
  // No `--ref`: it would add what that reference names, `latest` among it, to the images.
  const args = ["index", "create", "--format", DIGEST_FORMAT, ...images, ...place];
  return (await regctl(client, repository, args)).stdout.trim();
}

interface CallOptions {
  readonly input?: string;
  readonly inputFile?: string;
  readonly outputFile?: string;
}

export async function regctl(
  client: RegistryClient,
  repository: string,
  args: readonly string[],
  options: CallOptions & { allowMissing: true },
): Promise<RunResult | undefined>;
export async function regctl(
  client: RegistryClient,
  repository: string,
  args: readonly string[],
  options?: CallOptions,
  others?: readonly string[],
): Promise<RunResult>;
export async function regctl(
  client: RegistryClient,
  repository: string,
  args: readonly string[],
  options: CallOptions & { allowMissing?: boolean } = {},
  others: readonly string[] = [],
): Promise<RunResult | undefined> {
  const hosts = new Set([repository, ...others].map(registryHost).filter(isLoopback));
  const agent = process.env.KILN_REGISTRY_AGENT;
  const named = agent === undefined ? [] : ["--user-agent", `regctl ${agent}`];
  const flags = [...named, ...[...hosts].flatMap((host) => ["--host", `reg=${host},tls=disabled`])];
  const { allowMissing = false, ...rest } = options;
  const result = await run(client.regctl, [...args, ...flags], { ...rest, allowFailure: true });
  if (result.code === 0) return result;
  const said = result.stderr.trim();
  if (allowMissing && MISSING.test(said.replaceAll(LOGIN_NOT_FOUND, ""))) return undefined;
  const host = registryHost(repository);
  if (/unauthorized|denied|\b40[13]\b/i.test(said)) {
    throw new KilnError("unreachable", `the registry ${host} refuses access to ${repository}: ${lastLine(said)}`, {
      mend: `Log in with \`docker login ${host}\` as a user who may read and write it.`,
    });
  }
  if (/\[http 405\]|method not allowed|\bunsupported: the operation\b/i.test(said)) {
    throw new KilnError("unreachable", `the registry ${host} is read-only: it takes no push to ${repository}`, {
      mend: "Make it writable, or wait until its maintenance ends, then run the command again: it goes on from what is done.",
    });
  }
  if (/\[http 5\d\d\]/i.test(said)) {
    throw new KilnError("unreachable", `the registry ${host} failed while it took ${repository}: ${lastLine(said)}`, {
      mend: "Its disk may be full: look at its log, make room, then run the command again. It goes on from what is done; nothing was tagged.",
    });
  }
  if (/connection refused|no such host|dial tcp|timeout|EOF|connection reset|unreachable/i.test(said)) {
    throw new KilnError("unreachable", `the registry ${host} does not answer: ${lastLine(said)}`, {
      mend: isLoopback(host)
        ? "Start it with `npm run up`."
        : "Check the network and kiln:registry in the stack's file, then run the command again: it goes on from what is done.",
    });
  }
  const mend = networkMend(said);
  if (mend !== undefined) {
    throw new KilnError("unreachable", `the registry ${host} cannot be reached safely: ${lastLine(said)}`, { mend });
  }
  throw new KilnError("failed", `regctl ${args.slice(0, 2).join(" ")} ${repository} failed: ${lastLine(said)}`);
}

function lastLine(text: string): string {
  return text.split("\n").at(-1) ?? text;
}
