import { isDeepStrictEqual } from "node:util";
import { attachDocument } from "../registry/attach-document.ts";
import {
  readBlobText,
  readImageConfig,
  readReferrers,
  readImageManifest,
  type ImageConfig,
  type RegistryClient,
} from "../registry/client.ts";
import type { ImageReference } from "../registry/image-reference.ts";
import { readStoredManifest } from "../registry/stored-manifest.ts";
import { CONTRACT_LABEL, contractDifferences, MODULES_LABEL, type BuildContract } from "./contract.ts";
import { isMap } from "./document.ts";
import type { Verification } from "./verify.ts";

const ARTIFACT_TYPE = "application/vnd.kiln.verification.v1+json";

/** No record is larger: thousands of programs are a few hundred kilobytes. */
const RECORD_BYTES = 8_000_000;

/** What a verification leaves in the registry beside the image that it passed. */
export interface VerificationRecord {
  readonly version: 1;
  readonly image: string;
  readonly contract: BuildContract;
  readonly compileActions: number;
  /** Directories of the programs that built offline. */
  readonly programs: readonly string[];
  /** Of those that were not built again the image in which they built, with the same base and layers: digests by directory. */
  readonly before?: Readonly<Record<string, string>>;
  /** Present where an engine of another architecture ran the builds under emulation. */
  readonly emulated?: true;
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
  {
    before = {},
    emulated = false,
  }: { readonly before?: VerificationRecord["before"]; readonly emulated?: boolean } = {},
): Promise<string> {
  const record: VerificationRecord = {
    version: 1,
    image: image.digest,
    contract,
    compileActions: verification.compileActions,
    programs: [...verification.programs.map((program) => program.directory), ...Object.keys(before)].sort(),
    ...(Object.keys(before).length > 0 ? { before } : {}),
    ...(emulated ? { emulated } : {}),
  };
  return attachDocument(client, image, ARTIFACT_TYPE, JSON.stringify(record));
}

/** A record that stands for an image, or why none of those that are attached does. */
export type FoundRecord =
  | { readonly record: VerificationRecord; readonly digest: string }
  | { readonly record: undefined; readonly faults: readonly string[] };

/** Reads the verifications that are attached to an image, and gives the first that `recordFaults` finds nothing wrong with. */
export async function readRecord(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
): Promise<FoundRecord> {
  const { repository } = image;
  const config = await readImageConfig(client, repository, await readImageManifest(client, image));
  const faults: string[] = [];
  for (const digest of await readReferrers(client, image, ARTIFACT_TYPE)) {
    const stored = await readStoredManifest(client, { repository, digest });
    if (stored === undefined) {
      // As a clean-up takes it, or before it has come: another record may stand.
      faults.push(`its record ${digest} is listed and not there`);
      continue;
    }
    const [blob] = stored.layers;
    const size = stored.blobs.find((one) => one.digest === blob)?.size ?? 0;
    const record = parsedJson(
      blob === undefined || size > RECORD_BYTES ? "" : await readBlobText(client, repository, blob),
    );
    const wrong = recordFaults(record, image.digest, config);
    if (wrong.length === 0) return { record: record as VerificationRecord, digest };
    faults.push(...wrong.map((fault) => `its record ${digest} ${fault}`));
  }
  return { record: undefined, faults: faults.length > 0 ? faults : ["no verification record is attached to it"] };
}

/**
 * What keeps a record from standing for an image: of another version or image, of compile actions, of no program, or
 * under another contract than the image is labelled with. Empty where it stands for the image.
 */
export function recordFaults(found: unknown, digest: string, config: ImageConfig): readonly string[] {
  if (!isRecord(found)) return ["is not a verification record of version 1"];
  const label = parsedJson(config.config?.Labels?.[CONTRACT_LABEL] ?? "");
  return [
    ...(found.image === digest ? [] : [`is of another image, ${found.image}`]),
    ...(found.compileActions === 0 ? [] : [`tells of ${found.compileActions} compile actions`]),
    ...programFaults(found.programs, config.config?.Labels?.[MODULES_LABEL] ?? ""),
    ...contractFaults(found.contract, label),
  ];
}

/** The record must be of all programs that the image says it is warm for. */
function programFaults(recorded: readonly string[], label: string): readonly string[] {
  if (recorded.length === 0) return ["names no program"];
  const unchecked = label.split(",").filter((name) => name !== "" && !recorded.includes(name));
  return unchecked.length === 0
    ? []
    : [`leaves out ${unchecked.length} programs of the image, ${unchecked[0] ?? ""} first`];
}

function contractFaults(recorded: BuildContract, label: unknown): readonly string[] {
  if (isDeepStrictEqual(recorded, label)) return [];
  if (!isContract(label)) return [`says under which contract it passed, but the image has no label ${CONTRACT_LABEL}`];
  const differences = contractDifferences(recorded, label).join("; ");
  return [`passed under another contract than the image's label ${CONTRACT_LABEL}: ${differences}`];
}

function isRecord(found: unknown): found is VerificationRecord {
  if (typeof found !== "object" || found === null) return false;
  const { version, image, contract, compileActions, programs } = found as Partial<
    Record<keyof VerificationRecord, unknown>
  >;
  return (
    version === 1 &&
    typeof image === "string" &&
    isContract(contract) &&
    typeof compileActions === "number" &&
    Array.isArray(programs) &&
    programs.every((program) => typeof program === "string")
  );
}

function isContract(found: unknown): found is BuildContract {
  if (typeof found !== "object" || found === null) return false;
  const { goVersion, environment, flags, paths } = found as Partial<Record<keyof BuildContract, unknown>>;
  return typeof goVersion === "string" && isMap(environment) && Array.isArray(flags) && isMap(paths);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
