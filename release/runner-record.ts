import {
  OCI,
  pushDocument,
  pushManifest,
  readReferrers,
  readBlobText,
  readImageManifest,
  regctl,
  type Descriptor,
  type RegistryClient,
} from "../registry/client.ts";
import { formatReference, type PinnedImage } from "../registry/image-reference.ts";
import type { RunnerMove } from "./runner-move.ts";

/** The artifact type of the record of a release. */
export const RUNNER_RECORD = "application/vnd.kiln.runner-release.v1+json";

/** What a release did to a moving tag; attached to the image that the tag names since. */
export interface RunnerRecord {
  /** The Git tag. */
  readonly release: string;
  /** The Pulumi version inside. */
  readonly version: string;
  /** The moving tag, and the immutable one beside it. */
  readonly imageTag: string;
  readonly buildTag: string;
  readonly digest: string;
  /** The commit that it was built of, as its label says; left out where that names none. */
  readonly revision?: string;
  readonly move: RunnerMove["kind"];
  /** The image that the tag named before, which its own build tag still names. */
  readonly replaces?: string;
  /** When, in UTC. */
  readonly at: string;
}

/** Attaches a record to an image or an index. */
export async function attachRunnerRecord(
  client: RegistryClient,
  image: PinnedImage,
  record: RunnerRecord,
): Promise<void> {
  const { repository } = image;
  const text = `${JSON.stringify(record, null, 2)}\n`;
  await pushManifest(
    client,
    { repository },
    {
      schemaVersion: 2,
      mediaType: OCI.manifest,
      artifactType: RUNNER_RECORD,
      config: await pushDocument(client, repository, OCI.empty, "{}"),
      layers: [await pushDocument(client, repository, RUNNER_RECORD, text)],
      subject: await readDescriptor(client, image),
    },
  );
}

/** The records of an image, the newest first. */
export async function readRunnerRecords(client: RegistryClient, image: PinnedImage): Promise<readonly RunnerRecord[]> {
  const { repository } = image;
  const digests = await readReferrers(client, image, RUNNER_RECORD);
  const records = digests.map(async (digest) => {
    const { layers } = await readImageManifest(client, { repository, digest });
    return JSON.parse(await readBlobText(client, repository, layers[0]?.digest ?? "")) as RunnerRecord;
  });
  return (await Promise.all(records)).sort((a, b) => (a.at < b.at ? 1 : -1));
}

/** What an index or an image is to those that refer to it. */
async function readDescriptor(client: RegistryClient, image: PinnedImage): Promise<Descriptor> {
  const args = ["manifest", "get", "--format", "raw-body", formatReference(image)];
  const { stdout } = await regctl(client, image.repository, args);
  const { mediaType = OCI.manifest } = JSON.parse(stdout) as { readonly mediaType?: string };
  return { mediaType, digest: image.digest, size: Buffer.byteLength(stdout) };
}
