import type { SecretsAddress } from "./address.ts";
import type { Step } from "./step.ts";
import { OLD_VERSION_DAYS } from "./retention.ts";

const PRIVATE = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true";
const ENCRYPTED = { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }] };
const LIFECYCLE = {
  Rules: [
    {
      ID: "kiln-old-versions",
      Status: "Enabled",
      Filter: { Prefix: "" },
      NoncurrentVersionExpiration: { NoncurrentDays: OLD_VERSION_DAYS },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    },
  ],
};

/** How the AWS CLI names an error: `An error occurred (NotFoundException) when calling …`. */
const coded = (code: string) => `\\(${code}\\)`;

/** An S3 bucket for state. Encryption and lifecycle that somebody chose already stay: setting them would replace theirs. */
export function s3Steps(bucket: string, region: string): readonly Step[] {
  const at = ["--bucket", bucket, "--region", region];
  const s3 = (call: string, ...args: readonly string[]) => ({ argv: ["aws", "s3api", call, ...at, ...args] as const });
  // The oldest region is the default one, and is refused as a constraint.
  const where = region === "us-east-1" ? [] : ["--create-bucket-configuration", `LocationConstraint=${region}`];
  return [
    {
      title: `bucket ${bucket}`,
      check: { ...s3("head-bucket"), absent: coded("404") },
      run: [s3("create-bucket", ...where)],
    },
    {
      title: "every version of a state is kept",
      run: [s3("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")],
    },
    {
      title: "nothing in it is public",
      run: [s3("put-public-access-block", "--public-access-block-configuration", PRIVATE)],
    },
    {
      title: "it is encrypted at rest",
      check: { ...s3("get-bucket-encryption"), absent: coded("ServerSideEncryptionConfigurationNotFoundError") },
      run: [s3("put-bucket-encryption", "--server-side-encryption-configuration", JSON.stringify(ENCRYPTED))],
    },
    {
      title: `old versions go after ${OLD_VERSION_DAYS} days`,
      check: { ...s3("get-bucket-lifecycle-configuration"), absent: coded("NoSuchLifecycleConfiguration") },
      run: [s3("put-bucket-lifecycle-configuration", "--lifecycle-configuration", JSON.stringify(LIFECYCLE))],
    },
  ];
}

/**
 * A KMS key under an alias, rotated every year. Its description names the alias: a key that was made, and lost before it
 * got its alias, can be told from others. A key that is named by its
 * ID or ARN is somebody's own: it must be there.
 */
export function awsKmsSteps({ key, region }: SecretsAddress & { kind: "awskms" }): readonly Step[] {
  const kms = (call: string, ...args: readonly string[]) => ({
    argv: ["aws", "kms", call, "--region", region, ...args] as const,
  });
  const id = ["--query", "KeyMetadata.KeyId", "--output", "text"];
  const absent = coded("NotFoundException");
  const check = { ...kms("describe-key", "--key-id", key, ...id), sets: "KEY_ID", absent };
  if (!key.startsWith("alias/")) {
    const byHand = `The KMS key ${key} cannot be read: create it, or let this login use it.`;
    return [{ title: `KMS key ${key}`, check, run: [], byHand }];
  }
  return [
    {
      title: `KMS key ${key}`,
      check,
      run: [
        { ...kms("create-key", "--description", `Secrets of Pulumi stacks, ${key}`, ...id), sets: "KEY_ID" },
        kms("create-alias", "--alias-name", key, "--target-key-id", "$KEY_ID"),
      ],
    },
    { title: "it is rotated every year", run: [kms("enable-key-rotation", "--key-id", "$KEY_ID")] },
  ];
}
