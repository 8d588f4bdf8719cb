import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { silent } from "../../../progress.ts";
import { OCI } from "../../../registry/client.ts";
import { promote, type PromoteOptions } from "../../../release/promote.ts";
import { memory, useMemory } from "../../support/memory-client.ts";
import { MemoryNotary, NO_NOTARY } from "../../support/memory-notary.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";
import { sealInMemory } from "../../support/sealed-image.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT, putRecord, putWarmImage, type WarmImageOptions } from "../../support/warm-image.ts";

vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);

const DEV = "localhost:5181/kiln/base-images/iac-runner-warm";
const STAGING = "localhost:5182/kiln/base-images/iac-runner-warm";

let registry: MemoryRegistry;
let project: string;
const file = (stack: string) => path.join(project, `stacks/Pulumi.${stack}.yaml`);
const text = (stack: string) => readFile(file(stack), "utf8");
const run = (options: Partial<PromoteOptions> = {}) =>
  promote({
    client: registry.client,
    notary: NO_NOTARY,
    project,
    from: "dev",
    to: "staging",
    dryRun: false,
    progress: silent,
    ...options,
  });

/** A stack's file, and for dev the image that it names. */
const writeStack = (stack: string, port: number, more = "") =>
  writeFile(file(stack), `# ${stack}\nconfig:\n  kiln:registry: localhost:${port}  # here\n${more}`);

/** Bakes an image for dev, verified unless `record` says otherwise. */
async function bakeDev(options: WarmImageOptions = {}, record: object | false = {}): Promise<string> {
  const digest = putWarmImage(registry, DEV, options);
  if (record !== false) {
    const { programs, contract } = options;
    putRecord(registry, DEV, digest, { ...(programs && { programs }), ...(contract && { contract }), ...record });
  }
  await writeStack("dev", 5181, `  kiln:warmImage: ${DEV}@${digest}\n`);
  return digest;
}

beforeEach(async () => {
  registry = new MemoryRegistry();
  useMemory(registry);
  project = await temporaryDirectory();
  await mkdir(path.join(project, "stacks"));
  await writeStack("staging", 5182);
});

describe("a promotion", () => {
  it("copies the image, what refers to it and what refers to that, and writes one line", async () => {
    const digest = await bakeDev();
    const [record = ""] = await registry.functions.readReferrers(registry.client, { repository: DEV, digest });
    const signature = {
      schemaVersion: 2,
      artifactType: "sig",
      config: registry.putBlob(DEV, "{}"),
      layers: [],
    } as const;
    const signed = registry.putManifest(DEV, {
      ...signature,
      subject: { mediaType: OCI.manifest, digest: record, size: 1 },
    });
    registry.putManifest(DEV, { ...signature, artifactType: "cosign" }, `${digest.replace(":", "-")}.sig`);

    const promotion = await run();
    expect(promotion).toMatchObject({
      ...{ warmImage: `${STAGING}@${digest}`, before: undefined, unchanged: false },
      verification: { record, programs: ["m/aws/vpc"], compileActions: 0 },
      fileSystem: { count: 3, diffIds: ["sha256:diff-base", "sha256:diff-common", "sha256:diff-aws"] },
      copied: { blobs: 4, attached: [record, signed, `${digest.replace(":", "-")}.sig`] },
    });
    expect(await text("staging")).toBe(
      `# staging\nconfig:\n  kiln:registry: localhost:5182  # here\n  kiln:warmImage: ${STAGING}@${digest}\n`,
    );
    const target = registry.repository(STAGING);
    expect([...target.manifests.keys()]).toEqual(expect.arrayContaining([digest, record, signed]));
    expect(Object.fromEntries(target.tags)).toMatchObject({ [`promoted-${digest.slice(7, 39)}`]: digest });
    expect(await readdir(path.join(project, "stacks"))).toEqual(["Pulumi.dev.yaml", "Pulumi.staging.yaml"]);
  });

  it("says no changes the second time, and writes nowhere", async () => {
    await bakeDev();
    await run();
    registry.writes.length = 0;
    registry.readOnly.add("localhost:5182");
    const before = await text("staging");
    expect(await run()).toMatchObject({ unchanged: true, copied: { blobs: 0, bytes: 0, attached: [] } });
    expect(registry.writes).toEqual([]);
    expect(await text("staging")).toBe(before);
  });

  it("brings back what the target registry lost, though the file says so already", async () => {
    const digest = await bakeDev();
    await run();
    const target = registry.repository(STAGING);
    const [record = ""] = await registry.functions.readReferrers(registry.client, { repository: STAGING, digest });
    target.manifests.delete(record);
    target.blobs.delete([...target.blobs].find(([, bytes]) => bytes === "bytes of aws")?.[0] ?? "");
    expect(await run()).toMatchObject({ unchanged: false, copied: { blobs: 1, attached: [record] } });
    expect(target.manifests.has(record)).toBe(true);
    expect([...target.blobs.values()]).toContain("bytes of aws");
  });

  it("says what changes against the old image: layers with sizes, programs, contract", async () => {
    await bakeDev({ layers: ["common", "aws1", "gcp"], programs: ["m/aws/vpc", "m/gcp/net"] });
    await run();
    const contract = { ...CONTRACT, goVersion: "go1.27.0" };
    await bakeDev({ layers: ["common", "aws2"], programs: ["m/aws/vpc", "m/aws/eks"], contract });
    const { change } = await run();
    expect(change.layers.added).toMatchObject([{ name: "aws", bytes: "bytes of aws2".length }]);
    expect(change.layers.removed).toMatchObject([{ name: "aws" }, { name: "gcp" }]);
    expect(change.bytesToPull).toBe("bytes of aws2".length);
    expect(change.programs).toEqual({ added: ["m/aws/eks"], removed: ["m/gcp/net"] });
    expect(change.contract).toEqual(['Go version: "go1.26.8", "go1.27.0"']);
  });

  it("changes nothing on a dry run, and says what it would copy", async () => {
    await bakeDev();
    const before = await text("staging");
    const promotion = await run({ dryRun: true });
    expect(promotion).toMatchObject({ dryRun: true, unchanged: false, copied: { blobs: 4 } });
    expect([registry.writes, await text("staging")]).toEqual([[], before]);
  });

  it("copies no blob where both stacks have one repository", async () => {
    const digest = await bakeDev();
    await writeStack("staging", 5181);
    expect(await run()).toMatchObject({ warmImage: `${DEV}@${digest}`, copied: { blobs: 0, attached: [] } });
    expect(registry.writes).toEqual([`image ${DEV}`]);
  });

  it("goes on from what a broken-off copy left, and the file changes last", async () => {
    await bakeDev();
    const before = await text("staging");
    const source = registry.repository(DEV);
    registry.breaksAt = [...source.blobs].find(([, bytes]) => bytes === "bytes of aws")?.[0];
    await expect(run()).rejects.toMatchObject({ kind: "unreachable" });
    expect(await text("staging")).toBe(before);
    registry.breaksAt = undefined;
    expect(await run()).toMatchObject({ copied: { blobs: 1 } });
  });

  it("is no obstacle that the registry lost the image which the target names", async () => {
    await bakeDev();
    await writeStack("staging", 5182, `  kiln:warmImage: ${STAGING}@sha256:${"f".repeat(64)}\n`);
    const notes: string[] = [];
    await run({ progress: { ...silent, note: (line) => notes.push(line) } });
    expect(notes.join()).toContain("which its registry does not have");
  });
});

describe("an image that was never verified", () => {
  it.each<[string, object | false, string]>([
    ["has no record", false, "no verification record is attached to it"],
    ["has a record of another image", { image: "sha256:other" }, "is of another image, sha256:other"],
    ["was compiled while it was verified", { compileActions: 3 }, "tells of 3 compile actions"],
    ["was verified with no program", { programs: [] }, "names no program"],
    ["has a record of a later version", { version: 2 }, "is not a verification record of version 1"],
    ["has a record that is nonsense", { programs: "all" }, "is not a verification record of version 1"],
    [
      "was verified under another contract",
      { contract: { ...CONTRACT, goVersion: "go1.25.0" } },
      'dev.kiln.contract: Go version: "go1.25.0", "go1.26.8"',
    ],
  ])("is refused where it %s, with the commands that verify", async (_, record, said) => {
    const digest = await bakeDev({}, record);
    const before = await text("staging");
    const error = (await run().catch((thrown: unknown) => thrown)) as Error & { kind: string; mend: string };
    expect(error.kind).toBe("difference");
    expect(error.message).toContain(`${DEV}@${digest} was never verified: `);
    expect(error.message).toContain(said);
    expect(error.mend).toContain("npx kiln cache bake --stack dev");
    expect(error.mend).toContain(`npx kiln cache verify --image ${DEV}@${digest}`);
    expect([registry.writes, await text("staging")]).toEqual([[], before]);
  });

  it("is taken where one of several records stands for it", async () => {
    const digest = await bakeDev({}, { compileActions: 1 });
    const record = putRecord(registry, DEV, digest);
    expect((await run()).verification.record).toBe(record);
  });

  it("is refused where the registry does not have it at all", async () => {
    await writeStack("dev", 5181, `  kiln:warmImage: ${DEV}@sha256:${"e".repeat(64)}\n`);
    await expect(run()).rejects.toMatchObject({
      kind: "difference",
      message: expect.stringContaining("has no") as string,
    });
  });
});

describe("what makes no sense", () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ["one stack twice", () => run({ to: "dev" }), "--from and --to are both dev"],
    [
      "a source without an image",
      () => writeStack("dev", 5181).then(() => run()),
      "Pulumi.dev.yaml has no kiln:warmImage",
    ],
    ["a target without a file", () => run({ to: "prod" }), "there is no stacks/Pulumi.prod.yaml"],
    [
      "a damaged target file",
      () => writeFile(file("staging"), "config:\n  a: [1\nb").then(() => run()),
      "stacks/Pulumi.staging.yaml is not YAML",
    ],
    [
      "a standalone target",
      () => writeStack("staging", 5182, "  kiln:image: { dockerfile: standalone }\n").then(() => run()),
      "builds a standalone image",
    ],
    [
      "stacks for two platforms",
      () => writeStack("staging", 5182, "  kiln:image: { platform: linux/arm64 }\n").then(() => run()),
      "stack dev is for linux/amd64, stack staging for linux/arm64",
    ],
  ])("%s is a usage error, and nothing is written", async (_, attempt, said) => {
    await bakeDev();
    await expect(attempt()).rejects.toMatchObject({ kind: "usage", message: expect.stringContaining(said) as string });
    expect(registry.writes).toEqual([]);
  });

  it("an image of another platform than its stack's is refused", async () => {
    await bakeDev({ architecture: "arm64" });
    await expect(run()).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("linux/arm64") as string,
    });
  });

  it.each(["readOnly", "down"] as const)("a target registry that is %s leaves the file as it is", async (state) => {
    await bakeDev();
    registry[state].add("localhost:5182");
    const before = await text("staging");
    await expect(run()).rejects.toMatchObject({ kind: "unreachable" });
    expect(await text("staging")).toBe(before);
  });
});

describe("a target that demands a seal", () => {
  const DEMAND = "  kiln:signatures: { key: cosign.pub }\n";
  let notary: MemoryNotary;

  beforeEach(async () => {
    notary = new MemoryNotary();
    await writeStack("staging", 5182, DEMAND);
  });

  it("gets an image that has it, and the seal with it, verified on both sides", async () => {
    const digest = await bakeDev();
    await sealInMemory(registry, notary, { repository: DEV, digest });
    notary.verified = 0;
    expect(await run({ notary })).toMatchObject({ signedBy: "the key cosign.pub", unchanged: false });
    expect(notary.verified).toBe(6);
    expect(await text("staging")).toContain(`kiln:warmImage: ${STAGING}@${digest}`);
  });

  it.each([false, true])("refuses one that has none, before anything is copied (dry run: %j)", async (dryRun) => {
    await bakeDev();
    const before = await text("staging");
    await expect(run({ notary, dryRun })).rejects.toMatchObject({
      kind: "difference",
      message: expect.stringContaining("is not sealed for stack staging: it has no signature") as string,
    });
    expect(registry.writes.filter((write) => write.includes("5182"))).toEqual([]);
    expect(await text("staging")).toBe(before);
  });

  it("refuses one whose seal does not arrive, and leaves its file", async () => {
    const digest = await bakeDev();
    await sealInMemory(registry, notary, { repository: DEV, digest });
    const before = await text("staging");
    const copy = memory.functions.copyWithReferrers;
    memory.functions.copyWithReferrers = async (...args: never[]) => {
      await copy?.(...args);
      const { manifests } = registry.repository(STAGING);
      for (const [name, manifest] of manifests) if (manifest.includes("sigstore.dev/cosign")) manifests.delete(name);
    };
    await expect(run({ notary })).rejects.toThrow("it has no signature");
    expect(await text("staging")).toBe(before);
  });
});
