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

/** An S3 bucket for state. Encryption and lifecycle that somebody chose already stay: setting them would replace theirs. */
export function s3Steps(bucket: string, region: string): readonly Step[] {
  const at = ["--bucket", bucket, "--region", region];
  const s3 = (call: string, ...args: readonly string[]) => ({ argv: ["aws", "s3api", call, ...at, ...args] as const });
  // The oldest region is the default one, and is refused as a constraint.
  const where = region === "us-east-1" ? [] : ["--create-bucket-configuration", `LocationConstraint=${region}`];
  return [
    { title: `bucket ${bucket}`, check: s3("head-bucket"), run: [s3("create-bucket", ...where)] },
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
      check: s3("get-bucket-encryption"),
      run: [s3("put-bucket-encryption", "--server-side-encryption-configuration", JSON.stringify(ENCRYPTED))],
    },
    {
      title: `old versions go after ${OLD_VERSION_DAYS} days`,
      check: s3("get-bucket-lifecycle-configuration"),
      run: [s3("put-bucket-lifecycle-configuration", "--lifecycle-configuration", JSON.stringify(LIFECYCLE))],
    },
  ];
}

/** A KMS key under an alias, rotated every year. A key that is named by its ID or ARN is somebody's own: it must be there. */
export function awsKmsSteps({ key, region }: SecretsAddress & { kind: "awskms" }): readonly Step[] {
  const kms = (call: string, ...args: readonly string[]) => ({
    argv: ["aws", "kms", call, "--region", region, ...args] as const,
  });
  const id = ["--query", "KeyMetadata.KeyId", "--output", "text"];
  const check = { ...kms("describe-key", "--key-id", key, ...id), sets: "KEY_ID" };
  if (!key.startsWith("alias/")) {
    const byHand = `The KMS key ${key} cannot be read: create it, or let this login use it.`;
    return [{ title: `KMS key ${key}`, check, run: [], byHand }];
  }
  return [
    {
      title: `KMS key ${key}`,
      check,
      run: [
        { ...kms("create-key", "--description", "Secrets of Pulumi stacks", ...id), sets: "KEY_ID" },
        kms("create-alias", "--alias-name", key, "--target-key-id", "$KEY_ID"),
      ],
    },
    { title: "it is rotated every year", run: [kms("enable-key-rotation", "--key-id", "$KEY_ID")] },
  ];
}
