import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { storedManifest } from "../../../registry/stored-manifest.ts";

const repository = "localhost:5180/kiln/warm";
const blob = (digest: string, size: number) => ({ mediaType: "x", digest, size });

describe("storedManifest", () => {
  it("of an image has its layers in order, and each blob once, itself among them", () => {
    const [config, one] = [blob("sha256:c", 2), blob("sha256:1", 10)];
    const text = JSON.stringify({ config, layers: [one, blob("sha256:2", 20), one], subject: blob("sha256:s", 5) });
    const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    const found = storedManifest({ repository, tag: "a" }, text, ["a", "b"]);
    expect(found).toMatchObject({ repository, digest, tags: ["a", "b"], children: [], subject: "sha256:s" });
    expect(found.layers).toEqual(["sha256:1", "sha256:2", "sha256:1"]);
    expect(found.blobs.map(({ size }) => size)).toEqual([text.length, 2, 10, 20]);
  });

  it("of an index has what it lists", () => {
    const found = storedManifest(
      { repository, digest: "sha256:i" },
      '{"manifests":[{"digest":"sha256:a","size":1}]}',
      [],
    );
    expect(found).toMatchObject({ digest: "sha256:i", children: ["sha256:a"], layers: [] });
    expect(found).not.toHaveProperty("subject");
  });
});
