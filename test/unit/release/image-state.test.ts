import { beforeEach, describe, expect, it, vi } from "vitest";
import { readRecord } from "../../../cache/record.ts";
import type { ImageManifest } from "../../../registry/client.ts";
import { readImageState, readReleasedTags } from "../../../release/image-state.ts";
import { memory } from "../../support/memory-client.ts";
import { memoryManifests, putAny } from "../../support/memory-manifests.ts";
import { MemoryRegistry } from "../../support/memory-registry.ts";
import { putRecord, putWarmImage } from "../../support/warm-image.ts";

vi.mock("../../../registry/client.ts", async (original) =>
  (await import("../../support/memory-client.ts")).clientInMemory(original),
);

const WARM = "localhost:5180/kiln/base-images/iac-runner-warm";
const RUNNER = "localhost:5180/kiln/base-images/iac-runner";
let registry: MemoryRegistry;

beforeEach(() => {
  registry = new MemoryRegistry();
  memory.functions = {
    ...registry.functions,
    ...memoryManifests(registry, { refused: new Set(), leavesTags: false }),
  };
});

describe("the state of an image", () => {
  it("is verified with a record, unverified without, gone without the image", async () => {
    const [one, two] = [putWarmImage(registry, WARM), putWarmImage(registry, WARM, { layers: ["other"] })];
    putRecord(registry, WARM, one);
    const state = async (digest: string) =>
      (await readImageState(registry.client, { repository: WARM, digest }, [])).registry;
    expect([await state(one), await state(two), await state(`sha256:${"0".repeat(64)}`)]).toEqual([
      ...["verified", "unverified", "gone"],
    ]);
  });

  it("is verified by what stands beside a record that is listed and gone, as while a clean-up runs", async () => {
    const digest = putWarmImage(registry, WARM);
    const listed = [`sha256:${"0".repeat(64)}`];
    memory.functions.readReferrers = () => Promise.resolve(listed);
    const image = { repository: WARM, digest };
    expect(await readRecord(registry.client, image)).toEqual({
      faults: [`its record ${listed[0] ?? ""} is listed and not there`],
    });
    listed.push(putRecord(registry, WARM, digest));
    expect((await readImageState(registry.client, image, [])).registry).toBe("verified");
  });

  it("has the release tags that name it, by its digest or by its layers, through an index as well", async () => {
    const digest = putWarmImage(registry, WARM);
    registry.repository(WARM).tags.set("v1.0.0", digest).set("nightly", digest);
    const { layers } = JSON.parse(registry.repository(WARM).manifests.get(digest) ?? "") as ImageManifest;
    const runner = putAny(registry, RUNNER, { config: registry.putBlob(RUNNER, "{}"), layers });
    putAny(registry, RUNNER, { manifests: [{ digest: runner }] }, "v1.0.1", "latest", "v2");
    putAny(registry, RUNNER, { config: registry.putBlob(RUNNER, "{}"), layers: layers.slice(1) }, "v0.9.0");
    const released = await readReleasedTags(registry.client, [WARM, RUNNER]);
    const { tags } = await readImageState(registry.client, { repository: WARM, digest }, released);
    expect(tags).toEqual([`${WARM}:v1.0.0`, `${RUNNER}:v1.0.1`, `${RUNNER}:latest`]);
  });
});
