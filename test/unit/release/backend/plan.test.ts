import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSecretsAddress, parseStateAddress } from "../../../../release/backend/address.ts";
import { backendPlan } from "../../../../release/backend/plan.ts";
import { programsOf, resolved, scriptOf } from "../../../../release/backend/step.ts";

const S3 = "s3://acme-state?region=eu-central-1";
const KMS = "awskms://alias/kiln-state?region=eu-central-1";

describe("the address of a state", () => {
  it.each<[string, object]>([
    [S3, { kind: "s3", bucket: "acme-state", prefix: "", region: "eu-central-1" }],
    ["s3://acme-state/team/kiln", { kind: "s3", bucket: "acme-state", prefix: "team/kiln", region: undefined }],
    ["gs://acme-state/kiln/", { kind: "gs", bucket: "acme-state", prefix: "kiln" }],
    [
      "azblob://state?storage_account=acmestate",
      { kind: "azblob", container: "state", prefix: "", account: "acmestate" },
    ],
  ])("%s is read", (url, address) => {
    expect(parseStateAddress(url)).toEqual(address);
  });

  it.each([
    ["file:///srv/state", "is a file backend, which is for one machine"],
    ["https://api.pulumi.com", "is a Pulumi service"],
    ["s3://acme-state?endpoint=minio:9000", "is not Amazon S3"],
    ["s3://A", "is not the URL of a shared backend"],
    ["s3://acme-state?region=here", "is not the URL of a shared backend"],
    ["azblob://state", "is not the URL of a shared backend"],
    ["gs://acme-state/$(id)", "is not the URL of a shared backend"],
    ["gs://acme state", "is not the URL of a shared backend"],
    ["acme-state", "is not the URL of a shared backend"],
    ["", "is not the URL of a shared backend"],
  ])("%j is refused", (url, said) => {
    expect(() => parseStateAddress(url)).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringContaining(said) as string }),
    );
  });
});

describe("a secrets provider", () => {
  it.each<[string, object]>([
    ["passphrase", { kind: "passphrase" }],
    [KMS, { kind: "awskms", key: "alias/kiln-state", region: "eu-central-1" }],
    [
      "awskms://1234abcd-12ab-34cd-56ef-1234567890ab?region=us-east-1",
      { key: "1234abcd-12ab-34cd-56ef-1234567890ab", region: "us-east-1" },
    ],
    [
      "awskms:///arn:aws:kms:us-east-1:111122223333:key/1234abcd",
      { key: "arn:aws:kms:us-east-1:111122223333:key/1234abcd", region: "us-east-1" },
    ],
    [
      "gcpkms://projects/p-1/locations/global/keyRings/r/cryptoKeys/k",
      { kind: "gcpkms", project: "p-1", location: "global", keyRing: "r", key: "k" },
    ],
    ["azurekeyvault://acme.vault.azure.net/keys/state", { kind: "azurekeyvault", vault: "acme", key: "state" }],
  ])("%s is read", (text, address) => {
    expect(parseSecretsAddress(text)).toMatchObject(address);
  });

  it.each([
    "default",
    "awskms://alias/x",
    "gcpkms://projects/p",
    "azurekeyvault://acme.example/keys/x",
    "hashivault://k",
  ])("%s is refused", (text) => {
    expect(() => parseSecretsAddress(text)).toThrow(expect.objectContaining({ kind: "usage" }));
  });
});

describe("a plan", () => {
  it("makes the bucket, then who keeps the key, then logs in, then the stacks", () => {
    const titles = backendPlan({ url: S3, secrets: KMS, stacks: ["dev"] }).map(({ title }) => title);
    expect(titles).toEqual([
      "bucket acme-state",
      "every version of a state is kept",
      "nothing in it is public",
      "it is encrypted at rest",
      "old versions go after 90 days",
      "KMS key alias/kiln-state",
      "it is rotated every year",
      "log in",
      "stack dev",
      "the secrets of dev are kept by that key",
    ]);
  });

  it("creates no key that is named by its id, and does not change how it is rotated", () => {
    const secrets = "awskms://1234abcd-12ab-34cd-56ef-1234567890ab?region=us-east-1";
    const script = scriptOf(backendPlan({ url: S3, secrets, stacks: [] }), {});
    expect(script).not.toMatch(/create-key|enable-key-rotation/);
    expect(script).toContain("exit 1");
  });

  it.each([
    [{ url: "s3://acme-state", secrets: KMS }, "names no region"],
    [{ url: "gs://acme-state", secrets: KMS, location: "eu" }, "needs --project"],
    [{ url: "gs://acme-state", secrets: KMS, project: "p" }, "needs --location"],
    [{ url: "azblob://state?storage_account=acme", secrets: KMS, location: "eu" }, "needs --resource-group"],
    [{ url: "gs://acme-state", secrets: KMS, project: "p; id", location: "eu" }, "needs --project"],
  ])("%j is refused", (request, said) => {
    expect(() => backendPlan({ stacks: [], ...request })).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringContaining(said) as string }),
    );
  });

  it("names each program once", () => {
    expect(programsOf(backendPlan({ url: S3, secrets: KMS, stacks: ["dev", "prod"] }))).toEqual([
      "aws",
      "pulumi",
      "grep",
    ]);
  });
});

describe("a script", () => {
  it("leaves the us-east-1 constraint out, which Amazon refuses", () => {
    const script = scriptOf(
      backendPlan({ url: "s3://acme-state?region=us-east-1", secrets: "passphrase", stacks: [] }),
      {},
    );
    expect(script).not.toContain("LocationConstraint");
  });

  it("quotes any word so that a shell reads it as it is", async () => {
    const { run } = await import("../../../../toolchain/process.ts");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme" }).filter((word) => !/[\0\r]|^\$[A-Z_]+$/.test(word))),
        async (words) => {
          const step = { title: "t", run: [{ argv: ["printf", "%s\\n", "-", ...words] as const }] };
          const { stdout } = await run("/bin/sh", ["-c", scriptOf([step], {})]);
          expect(stdout).toBe(["-", ...words].map((word) => `${word}\n`).join(""));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("puts a variable in the place of a whole argument only", () => {
    const argv = resolved(["aws", "$KEY_ID", "x$KEY_ID", "$OTHER"], new Map([["KEY_ID", "1"]]));
    expect(argv).toEqual(["aws", "1", "x$KEY_ID", "$OTHER"]);
  });
});
