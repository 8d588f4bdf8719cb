import { beforeEach, describe, expect, it, vi } from "vitest";
import { KilnError } from "../../../errors.ts";
import { silent } from "../../../progress.ts";
import { publishRelease } from "../../../release/publish.ts";
import type { SealDemand } from "../../../release/supply/stack-seals.ts";
import { parseReleaseTag } from "../../../release/tags.ts";
import { NO_NOTARY } from "../../support/memory-notary.ts";

const REPOSITORY = "ghcr.io/acme/runners/base-images/iac-runner";
const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;
const [AMD, ARM, INDEX, OTHER] = ["a", "b", "c", "d"].map(digestOf) as [string, string, string, string];

const COMMIT = "c".repeat(40);
const WARM = `${REPOSITORY}-warm`;
const BELOW = digestOf("e");
const LABEL = "org.opencontainers.image.base.name";

/** A repository: tags, and by digest platforms, layers and labels where they are not those of the rest, and who has a record. */
const registry = vi.hoisted(() => ({
  tags: new Map<string, string>(),
  platforms: new Map<string, string>(),
  layers: new Map<string, readonly string[]>(),
  labels: new Map<string, Readonly<Record<string, string>>>(),
  verified: new Set<string>(),
  sealed: new Set<string>(),
  /** Commits by the digests of what was built from others than the tag's. */
  builtFrom: new Map<string, string>(),
  set: [] as string[],
}));

vi.mock("../../../registry/client.ts", () => ({
  pushIndex: (_client: unknown, _target: unknown, digests: readonly string[]) =>
    Promise.resolve(digests.join() === [AMD, ARM].join() ? INDEX : OTHER),
  readTags: () => Promise.resolve([...registry.tags.keys()]),
  readDigest: (_client: unknown, { tag, digest }: { tag?: string; digest?: string }) =>
    Promise.resolve(
      digest === undefined ? registry.tags.get(tag ?? "") : registry.platforms.has(digest) ? digest : undefined,
    ),
}));
vi.mock("../../../registry/stored-manifest.ts", () => ({
  readStoredManifest: () => Promise.resolve({ children: [] }),
}));
vi.mock("../../../registry/compose.ts", () => ({
  readImage: (_client: unknown, { digest }: { digest: string }) => {
    const [os, architecture] = (registry.platforms.get(digest) ?? "").split("/");
    const Labels = registry.labels.get(digest) ?? { [LABEL]: `${WARM}@${BELOW}` };
    const rootfs = { type: "layers", diff_ids: registry.layers.get(digest) ?? ["one", "two"] };
    return Promise.resolve({ manifest: {}, config: { os, architecture, rootfs, config: { Labels } } });
  },
}));
vi.mock("../../../cache/record.ts", () => ({
  readRecord: (_client: unknown, { digest }: { digest: string }) =>
    Promise.resolve(
      registry.verified.has(digest)
        ? { record: {}, digest: "sha256:record" }
        : { record: undefined, faults: ["no verification record is attached to it"] },
    ),
}));
vi.mock("../../../release/supply/seal-faults.ts", () => ({
  requireSeal: (_check: unknown, { digest }: { digest: string }, stack: string) =>
    registry.sealed.has(digest)
      ? Promise.resolve([])
      : Promise.reject(new KilnError("difference", `${digest} is not sealed for stack ${stack}`)),
}));
vi.mock("../../../release/supply/built-from.ts", () => ({
  requireBuiltFrom: (_check: unknown, { digest }: { digest: string }, { commit }: { commit: string }) =>
    (registry.builtFrom.get(digest) ?? commit) === commit
      ? Promise.resolve()
      : Promise.reject(new KilnError("difference", `${digest} is not of commit ${commit}`)),
}));
vi.mock("../../../registry/tag-manifest.ts", () => ({
  tagManifest: (_client: unknown, { digest }: { digest: string }, tag: string) => {
    registry.tags.set(tag, digest);
    registry.set.push(tag);
    return Promise.resolve();
  },
}));

beforeEach(() => {
  registry.tags.clear();
  registry.set.length = 0;
  for (const known of [registry.platforms, registry.layers, registry.labels, registry.verified, registry.sealed])
    known.clear();
  registry.builtFrom.clear();
  registry.platforms
    .set(AMD, "linux/amd64")
    .set(ARM, "linux/arm64")
    .set(OTHER, "linux/amd64")
    .set(BELOW, "linux/amd64");
  registry.verified.add(BELOW);
});

const publish = (version: string, ...digests: readonly string[]) => publishFor([], version, ...digests);
const publishFor = (demands: readonly SealDemand[], version: string, ...digests: readonly string[]) =>
  publishRelease({
    client: { regctl: "none" },
    release: parseReleaseTag(`iac-runner-base-v${version}`),
    images: digests.map((digest) => ({ repository: REPOSITORY, digest })),
    demands,
    readCommit: () => Promise.resolve(COMMIT),
    notary: NO_NOTARY,
    progress: silent,
  });

describe("publishRelease", () => {
  it("sets the version first and latest after it, once", async () => {
    expect(await publish("1.2.3", AMD)).toMatchObject({
      digest: AMD,
      imageTags: ["v1.2.3", "latest"],
      unchanged: false,
    });
    expect(registry.set).toEqual(["v1.2.3", "latest"]);
    expect(await publish("1.2.3", AMD)).toMatchObject({ unchanged: true });
    expect(registry.set).toEqual(["v1.2.3", "latest"]);
  });

  it("completes a release that broke off after its version", async () => {
    registry.tags.set("v1.2.3", AMD);
    await publish("1.2.3", AMD);
    expect(registry.set).toEqual(["latest"]);
  });

  it("leaves latest where an older line gets a fix, and for a pre-release", async () => {
    registry.tags.set("v2.0.0", OTHER).set("latest", OTHER);
    expect((await publish("1.9.9", AMD)).imageTags).toEqual(["v1.9.9"]);
    expect((await publish("2.1.0-rc.1", AMD)).imageTags).toEqual(["v2.1.0-rc.1"]);
    expect(registry.tags.get("latest")).toBe(OTHER);
  });

  it("does not move a version that names another image", async () => {
    registry.tags.set("v1.2.3", OTHER);
    await expect(publish("1.2.3", AMD)).rejects.toMatchObject({
      kind: "difference",
      message: expect.stringContaining(`is ${OTHER} already`) as string,
    });
    expect(registry.set).toEqual([]);
  });

  it("makes an index of one image a platform, in whichever order they are named", async () => {
    expect(await publish("1.2.3", ARM, AMD)).toMatchObject({
      digest: INDEX,
      platforms: ["linux/amd64", "linux/arm64"],
    });
    expect(registry.tags.get("v1.2.3")).toBe(INDEX);
  });

  it("refuses an image that is gone, and none at all", async () => {
    await expect(publish("1.2.3", digestOf("f"))).rejects.toMatchObject({ kind: "difference" });
    await expect(publish("1.2.3")).rejects.toMatchObject({ kind: "usage" });
  });
});

describe("an image that is released", () => {
  const refused = async (reason: string) => {
    const message = expect.stringContaining(reason) as string;
    await expect(publish("1.2.3", AMD)).rejects.toMatchObject({ kind: "difference", message });
    expect(registry.set).toEqual([]);
  };

  it("has a warm image with a valid record", async () => {
    registry.verified.clear();
    await refused(`its warm image ${WARM}@${BELOW} was not: no verification record`);
    registry.platforms.delete(BELOW);
    await refused(`its warm image ${WARM}@${BELOW} is gone`);
  });

  it.each([[["one"]], [["one", "two", "three"]], [["two", "one"]]])(
    "has the layers of that image: %j are not",
    async (layers) => {
      registry.layers.set(AMD, layers);
      await refused("its layers are not those of the warm image");
    },
  );

  it.each<Readonly<Record<string, string>>>([{}, { [LABEL]: "docker.io/library/debian:bookworm-slim" }])(
    "with the labels %j has a record of its own",
    async (labels) => {
      registry.labels.set(AMD, labels);
      await refused("names no warm image by digest");
      registry.verified.add(AMD);
      expect((await publish("1.2.3", AMD)).imageTags).toEqual(["v1.2.3", "latest"]);
    },
  );

  it("is each of several", async () => {
    registry.layers.set(ARM, ["other"]);
    await expect(publish("1.2.3", AMD, ARM)).rejects.toThrow(`${ARM} was never verified`);
  });
});

describe("a release for a stack that demands a seal", () => {
  const demands: readonly SealDemand[] = [{ stack: "dev", policy: { kind: "key", key: "cosign.pub" } }];

  it.each([
    ["an image", [AMD], AMD],
    ["an index", [AMD, ARM], INDEX],
  ])("is tagged once %s has it, and not before", async (_, digests, published) => {
    await expect(publishFor(demands, "1.2.3", ...digests)).rejects.toThrow(`${published} is not sealed for stack dev`);
    expect(registry.set).toEqual([]);
    registry.sealed.add(published);
    await publishFor(demands, "1.2.3", ...digests);
    expect(registry.set).toEqual(["v1.2.3", "latest"]);
  });

  it("is not tagged where one of its images was built from another commit than the tag's", async () => {
    registry.sealed.add(INDEX);
    registry.builtFrom.set(ARM, "d".repeat(40));
    await expect(publishFor(demands, "1.2.3", AMD, ARM)).rejects.toThrow(`${ARM} is not of commit ${COMMIT}`);
    expect(registry.set).toEqual([]);
    // Who demands no seal has nobody to believe.
    await publish("1.2.3", AMD, ARM);
    expect(registry.set).toEqual(["v1.2.3", "latest"]);
  });

  it("is not tagged where the warm image below was built from another, unless its own record is what it goes by", async () => {
    registry.sealed.add(AMD);
    registry.builtFrom.set(BELOW, "d".repeat(40));
    await expect(publishFor(demands, "1.2.3", AMD)).rejects.toThrow(`${BELOW} is not of commit ${COMMIT}`);
    expect(registry.set).toEqual([]);
    registry.verified.add(AMD);
    await publishFor(demands, "1.2.3", AMD);
    expect(registry.set).toEqual(["v1.2.3", "latest"]);
  });
});
