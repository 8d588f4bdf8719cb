import { buildContract, CONTRACT_LABEL, type BuildContract } from "../../cache/contract.ts";
import type { VerificationRecord } from "../../cache/record.ts";
import { OCI } from "../../registry/client.ts";
import type { MemoryRegistry } from "./memory-registry.ts";

export const CONTRACT: BuildContract = buildContract({ go: "1.26.8", pulumi: "3.253.0" }, "amd64");

export interface WarmImageOptions {
  /** One layer a program: a base, and what these say. */
  readonly layers?: readonly string[];
  readonly programs?: readonly string[];
  readonly contract?: BuildContract;
  readonly architecture?: string;
}

/** Puts a warm image into a registry as a bake does, and returns its digest. */
export function putWarmImage(registry: MemoryRegistry, repository: string, options: WarmImageOptions = {}): string {
  const { layers = ["common", "aws"], programs = ["m/aws/vpc"], contract = CONTRACT, architecture = "amd64" } = options;
  const config = {
    ...{ architecture, os: "linux" },
    config: { Labels: { [CONTRACT_LABEL]: JSON.stringify(contract), "dev.kiln.modules": programs.join(",") } },
    rootfs: { type: "layers", diff_ids: ["base", ...layers].map((name) => `sha256:diff-${name}`) },
    history: ["base tools", ...layers.map((name) => `kiln cache layers: ${name.replace(/\d+$/, "")}`)].map((step) => ({
      created_by: step,
    })),
  };
  return registry.putManifest(repository, {
    ...{ schemaVersion: 2, mediaType: OCI.manifest },
    config: registry.putBlob(repository, JSON.stringify(config)),
    layers: ["base", ...layers].map((name) => registry.putBlob(repository, `bytes of ${name}`)),
  });
}

/** Attaches a verification record to an image, with fields of the test's own, and returns its digest. */
export function putRecord(
  registry: MemoryRegistry,
  repository: string,
  digest: string,
  fields: Partial<Record<keyof VerificationRecord, unknown>> = {},
): string {
  const record = {
    version: 1,
    image: digest,
    contract: CONTRACT,
    compileActions: 0,
    programs: ["m/aws/vpc"],
    ...fields,
  };
  return registry.putManifest(repository, {
    ...{ schemaVersion: 2, mediaType: OCI.manifest },
    artifactType: "application/vnd.kiln.verification.v1+json",
    config: registry.putBlob(repository, "{}"),
    layers: [registry.putBlob(repository, JSON.stringify(record))],
    subject: { mediaType: OCI.manifest, digest, size: 1 },
  });
}
