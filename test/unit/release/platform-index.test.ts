import { beforeEach, describe, expect, it, vi } from "vitest";
import { silent } from "../../../progress.ts";
import type { PinnedImage } from "../../../registry/image-reference.ts";
import { byPlatform, joinPlatforms, joinSealed } from "../../../release/platform-index.ts";
import { publishRelease } from "../../../release/publish.ts";
import { commitMaterial, LOCAL_BUILDER } from "../../../release/supply/provenance.ts";
import { readSealState } from "../../../release/supply/seal-faults.ts";
import { parseReleaseTag } from "../../../release/tags.ts";
import { memory } from "../../support/memory-client.ts";
import { memoryManifests, putAny } from "../../support/memory-manifests.ts";
import { MemoryNotary } from "../../support/memory-notary.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";
import { KEY, sealInMemory } from "../../support/sealed-image.ts";
import { putRecord, putWarmImage } from "../../support/warm-image.ts";

const COMMIT = "c".repeat(40);
vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);

const REPOSITORY = "localhost:5181/kiln/base-images/iac-runner";
const INDEX = "application/vnd.oci.image.index.v1+json";
const demands = [{ stack: "dev", policy: KEY }];

let registry: MemoryRegistry;
let notary: MemoryNotary;
let amd64: PinnedImage;
let arm64: PinnedImage;

/** A verified runner image. */
function put(architecture: string, layers: readonly string[] = ["common", "aws"]): PinnedImage {
  const digest = putWarmImage(registry, REPOSITORY, { architecture, layers });
  putRecord(registry, REPOSITORY, digest);
  return { repository: REPOSITORY, digest };
}

beforeEach(() => {
  registry = new MemoryRegistry();
  notary = new MemoryNotary();
  const pushIndex = (_: unknown, { repository }: PinnedImage, digests: readonly string[]) => {
    const manifests = digests.map((digest) => ({ mediaType: "m", digest, size: 1 }));
    registry.writes.push(`index ${repository}`);
    return Promise.resolve(putAny(registry, repository, { schemaVersion: 2, mediaType: INDEX, manifests }));
  };
  const manifests = memoryManifests(registry, { refused: new Set(), leavesTags: false });
  memory.functions = { ...registry.functions, ...manifests, pushIndex };
  [amd64, arm64] = [put("amd64"), put("arm64")];
});

const join = (...images: readonly PinnedImage[]) => joinPlatforms(registry.client, images);
const joined = (...images: readonly PinnedImage[]) => joinSealed({ client: registry.client, images, demands, notary });

describe("joinPlatforms", () => {
  it("is one index of all platforms, the same in whichever order they are named, and twice", async () => {
    const { digest, images } = await join(arm64, amd64);
    expect(images.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
    expect([await join(amd64, arm64), await join(amd64, arm64, amd64)].map((one) => one.digest)).toEqual([
      digest,
      digest,
    ]);
    expect(registry.repository(REPOSITORY).tags.size).toBe(0);
  });

  it("is the image itself where it is alone, and an index that is named is itself", async () => {
    expect((await join(amd64)).digest).toBe(amd64.digest);
    const index = { repository: REPOSITORY, digest: (await join(amd64, arm64)).digest };
    const before = registry.writes.length;
    expect(await join(index)).toMatchObject({ digest: index.digest, images: [{ image: amd64 }, { image: arm64 }] });
    expect(registry.writes.length).toBe(before);
  });

  it("refuses none, images of two repositories, and one that is gone, by itself or in an index", async () => {
    await expect(join()).rejects.toMatchObject({ kind: "usage" });
    await expect(join(amd64, { ...arm64, repository: `${REPOSITORY}-other` })).rejects.toThrow("of two repositories");
    const { digest } = await join(amd64, arm64);
    registry.repository(REPOSITORY).manifests.delete(arm64.digest);
    await expect(join(amd64, arm64)).rejects.toMatchObject({ kind: "difference" });
    await expect(join({ repository: REPOSITORY, digest })).rejects.toThrow(arm64.digest);
  });

  it("refuses an image that was never verified, and pushes nothing", async () => {
    const digest = putWarmImage(registry, REPOSITORY, { architecture: "arm64", layers: ["other"] });
    await expect(join(amd64, { repository: REPOSITORY, digest })).rejects.toThrow("was never verified");
    expect(registry.writes).toEqual([]);
  });
});

describe("byPlatform", () => {
  it("refuses two images for one platform", () => {
    const of = (image: PinnedImage) => ({ image, platform: "linux/amd64" });
    expect(() => byPlatform([of(amd64), of(arm64)])).toThrow("two images are for linux/amd64");
    expect(byPlatform([of(amd64), of(amd64)])).toHaveLength(1);
  });
});

describe("an index that is to be sealed", () => {
  it("is of sealed images alone: whoever seals it signs no image", async () => {
    await sealInMemory(registry, notary, amd64);
    await expect(joined(amd64, arm64)).rejects.toThrow(`${arm64.digest} is not sealed for stack dev`);
    expect(registry.writes.filter((write) => write.startsWith("index"))).toEqual([]);
    await sealInMemory(registry, notary, arm64);
    const { digest } = await joined(amd64, arm64);
    const sealed = await sealInMemory(registry, notary, { repository: REPOSITORY, digest });
    expect(sealed.map(({ added }) => added)).toEqual([[], [], ["provenance", "signature"]]);
  });

  it("is what a release publishes, once it is sealed", async () => {
    const facts = {
      ...{ builder: { id: LOCAL_BUILDER }, version: "0.1.0", parameters: { stack: "dev" } },
      materials: [commitMaterial(undefined, COMMIT)],
    };
    for (const image of [amd64, arm64]) await sealInMemory(registry, notary, image, { facts });
    const index = { repository: REPOSITORY, digest: (await joined(amd64, arm64)).digest };
    const release = parseReleaseTag("iac-runner-base-v1.2.3");
    const readCommit = () => Promise.resolve(COMMIT);
    const options = {
      client: registry.client,
      release,
      images: [index],
      demands,
      notary,
      readCommit,
      progress: silent,
    };
    await expect(publishRelease(options)).rejects.toThrow("is not sealed for stack dev: it has no signature");
    await sealInMemory(registry, notary, index);
    expect((await readSealState({ client: registry.client, notary, policy: KEY }, index)).faults).toEqual([]);
    expect(await publishRelease(options)).toMatchObject({
      ...{ digest: index.digest, platforms: ["linux/amd64", "linux/arm64"], imageTags: ["v1.2.3", "latest"] },
    });
    expect(await publishRelease(options)).toMatchObject({ digest: index.digest, unchanged: true });
  });
});
