import { beforeEach, describe, expect, it, vi } from "vitest";
import { readVerifiedBefore, tagVerified, verifiedTags, type VerifiedParts } from "../../../cache/verified-before.ts";
import { readRecord } from "../../../cache/record.ts";
import { CONTRACT } from "./cache-directory.ts";

/** A repository's tags, and the programs that the records of its images name. */
const registry = vi.hoisted(() => ({ tags: new Map<string, string>(), records: new Map<string, readonly string[]>() }));

vi.mock(import("../../../registry/client.ts"), async (original) => ({
  ...(await original()),
  readDigest: (_client, { tag = "" }) => Promise.resolve(registry.tags.get(tag)),
  readImageManifest: (_client, { digest = "" }) =>
    Promise.resolve({ schemaVersion: 2, config: { digest }, layers: [] } as never),
  pushManifest: (_client, { tag = "" }, { config }) => {
    registry.tags.set(tag, config.digest);
    return Promise.resolve(config.digest);
  },
}));
vi.mock(import("../../../cache/record.ts"), async (original) => ({ ...(await original()), readRecord: vi.fn() }));

beforeEach(() => {
  registry.tags.clear();
  registry.records.clear();
  vi.mocked(readRecord).mockImplementation((_client, { digest }) => {
    const programs = registry.records.get(digest);
    return Promise.resolve((programs === undefined ? { faults: [] } : { record: { programs } }) as never);
  });
});

const client = { regctl: "none" };
const inputs = (digest: string) => ({ programs: {}, goFiles: {}, packages: { p: { "main.go": digest } } });
const PARTS: VerifiedParts = {
  ...{ base: "r@sha256:base", platform: "linux/amd64", emulated: false, contract: CONTRACT },
  manifest: { delivery: "cache", inputs: { aws: inputs("1"), "Our GCP": inputs("2") } },
  layers: new Map([
    ["common", "sha256:c"],
    ["aws", "sha256:a"],
    ["Our GCP", "sha256:g"],
  ]),
};

describe("verifiedTags", () => {
  it("is a tag a provider, as tags may be written", () => {
    const tags = verifiedTags(PARTS);
    expect([...tags.keys()]).toEqual(["aws", "Our GCP"]);
    expect(tags.get("Our GCP")).toMatch(/^verified-our-gcp-[0-9a-f]{32}$/);
  });

  const aws = (parts: Partial<VerifiedParts>) => verifiedTags({ ...PARTS, ...parts }).get("aws");
  const layer = (name: string) => ({ layers: new Map([...PARTS.layers, [name, "sha256:other"]]) });

  it.each<[string, Partial<VerifiedParts>]>([
    ["the base", { base: "r@sha256:other" }],
    ["the platform", { platform: "linux/arm64" }],
    ["emulation", { emulated: true }],
    ["the contract", { contract: { ...CONTRACT, goVersion: "go1.26.9" } }],
    ["the delivery", { manifest: { ...PARTS.manifest, delivery: "both" } }],
    ["the common layer", layer("common")],
    ["its own layer", layer("aws")],
    ["its sources", { manifest: { ...PARTS.manifest, inputs: { aws: inputs("3") } } }],
  ])("changes with %s", (_, parts) => {
    expect(aws(parts)).not.toBe(aws({}));
  });

  it("does not change with another provider's layer", () => {
    expect(aws(layer("Our GCP"))).toBe(aws({}));
  });

  it("is none of a provider whose sources are not known", () => {
    expect(verifiedTags({ ...PARTS, manifest: { delivery: "cache" } }).size).toBe(0);
  });
});

describe("readVerifiedBefore", () => {
  it("finds images that were tagged, and believes only their records", async () => {
    const tags = verifiedTags(PARTS);
    expect(await readVerifiedBefore(client, "r", tags)).toEqual(new Map());
    await tagVerified(client, { repository: "r", digest: "sha256:i" }, tags);
    expect(await readVerifiedBefore(client, "r", tags)).toEqual(new Map());
    registry.records.set("sha256:i", ["aws/a", "gcp/b"]);
    const before = { image: "sha256:i", programs: new Set(["aws/a", "gcp/b"]) };
    expect(await readVerifiedBefore(client, "r", tags)).toEqual(
      new Map([
        ["aws", before],
        ["Our GCP", before],
      ]),
    );
  });
});
