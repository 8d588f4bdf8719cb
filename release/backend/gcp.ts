import type { SecretsAddress, StateAddress } from "./address.ts";
import { OLD_VERSION_DAYS } from "./retention.ts";
import type { Step } from "./step.ts";

const LIFECYCLE = { rule: [{ action: { type: "Delete" }, condition: { daysSinceNoncurrentTime: OLD_VERSION_DAYS } }] };

/** How KMS says that something is not there. */
const NOT_FOUND = "NOT_FOUND: ";

/** A Cloud Storage bucket for state. Google encrypts every bucket; a lifecycle that somebody chose already stays. */
export function gcsSteps(
  { bucket }: StateAddress & { kind: "gs" },
  place: { readonly location: string; readonly project: string },
): readonly Step[] {
  const url = `gs://${bucket}`;
  const buckets = (call: string, ...args: readonly string[]) => ({
    argv: ["gcloud", "storage", "buckets", call, url, ...args] as const,
  });
  const guarded = ["--uniform-bucket-level-access", "--public-access-prevention"];
  return [
    {
      title: `bucket ${bucket}, encrypted at rest as every bucket of Google's`,
      check: { ...buckets("describe"), absent: "not found: 404|HTTPError 404" },
      run: [buckets("create", `--project=${place.project}`, `--location=${place.location}`, ...guarded)],
    },
    {
      title: "every version of a state is kept, nothing is public",
      run: [buckets("update", "--versioning", ...guarded)],
    },
    {
      title: `old versions go after ${OLD_VERSION_DAYS} days`,
      check: { ...buckets("describe", "--format=value(lifecycle_config)"), prints: true },
      run: [{ ...buckets("update", "--lifecycle-file=/dev/stdin"), input: JSON.stringify(LIFECYCLE) }],
    },
  ];
}

/** A KMS key that gets a new version every 90 days; older versions go on decrypting. */
export function gcpKmsSteps({ project, location, keyRing, key }: SecretsAddress & { kind: "gcpkms" }): readonly Step[] {
  const place = [`--project=${project}`, `--location=${location}`];
  const kms = (...args: readonly string[]) => ({ argv: ["gcloud", "kms", ...args, ...place] as const });
  const ring = `--keyring=${keyRing}`;
  const rotation = ["--rotation-period=90d", "--next-rotation-time=+p90d"];
  return [
    {
      title: `key ring ${keyRing}`,
      check: { ...kms("keyrings", "describe", keyRing), absent: NOT_FOUND },
      run: [kms("keyrings", "create", keyRing)],
    },
    {
      title: `KMS key ${key}`,
      check: { ...kms("keys", "describe", key, ring), absent: NOT_FOUND },
      run: [kms("keys", "create", key, ring, "--purpose=encryption", ...rotation)],
    },
    {
      title: "it is rotated every 90 days",
      check: { ...kms("keys", "describe", key, ring, "--format=value(rotationPeriod)"), prints: true },
      run: [kms("keys", "update", key, ring, ...rotation)],
    },
  ];
}
