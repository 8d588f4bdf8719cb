import {
  OCI,
  pushDocument,
  pushManifest,
  readReferrers,
  readImageManifest,
  type RegistryClient,
} from "../registry/client.ts";
import type { ImageReference } from "../registry/image-reference.ts";
import type { BuildContract } from "./contract.ts";
import type { Verification } from "./verify.ts";

const ARTIFACT_TYPE = "application/vnd.kiln.verification.v1+json";

/** What a verification leaves in the registry beside the image that it passed. */
export interface VerificationRecord {
  readonly version: 1;
  readonly image: string;
  readonly contract: BuildContract;
  readonly compileActions: number;
  /** Directories of the programs that built offline. */
  readonly programs: readonly string[];
}

/**
 * Attaches a passed verification to an image as a referrer, listed under the fallback tag that also registries without
 * the referrers API have (OCI distribution 1.1). The same result gives the same record. Returns the record's digest.
 */
export async function pushVerification(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
  contract: BuildContract,
  verification: Verification,
): Promise<string> {
  const { repository, digest } = image;
  const record: VerificationRecord = {
    version: 1,
    image: digest,
    contract,
    compileActions: verification.compileActions,
    programs: verification.programs.map((program) => program.directory),
  };
  const manifest = await readImageManifest(client, { repository, digest });
  return pushManifest(
    client,
    { repository },
    {
      schemaVersion: 2,
      mediaType: OCI.manifest,
      artifactType: ARTIFACT_TYPE,
      config: await pushDocument(client, repository, OCI.empty, "{}"),
      layers: [await pushDocument(client, repository, ARTIFACT_TYPE, JSON.stringify(record))],
      subject: {
        mediaType: manifest.mediaType ?? OCI.manifest,
        digest,
        size: Buffer.byteLength(JSON.stringify(manifest)),
      },
    },
  );
}

/** Whether a verification is attached to an image, which is so only of one that passed. */
export async function hasRecord(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
): Promise<boolean> {
  return (await readReferrers(client, image, ARTIFACT_TYPE)).length > 0;
}
