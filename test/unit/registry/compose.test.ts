import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OCI } from "../../../registry/client.ts";
import { composeImage, type Image } from "../../../registry/compose.ts";

const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hash) => `sha256:${hash}`);
const image: fc.Arbitrary<Image> = fc
  .record({
    layers: fc.array(fc.record({ digest, diffId: digest, size: fc.nat() }), { minLength: 1, maxLength: 4 }),
    labels: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.string()),
    env: fc.array(fc.string()),
  })
  .map(({ layers, labels, env }) => ({
    manifest: {
      ...{ schemaVersion: 2, mediaType: OCI.manifest },
      config: { mediaType: OCI.config, digest: `sha256:${"0".repeat(64)}`, size: 1 },
      layers: layers.map((layer) => ({ mediaType: OCI.layer, digest: layer.digest, size: layer.size })),
    },
    config: {
      ...{ architecture: "amd64", os: "linux", config: { Env: env, Labels: labels } },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(({ diffId }) => ({ created_by: diffId })),
    },
  }));

function imageOf(mediaType: string, config: Partial<Image["config"]> = {}): Image {
  const layer = { mediaType, digest: `sha256:${"1".repeat(64)}`, size: 3, annotations: { x: "y" } };
  return {
    manifest: {
      ...{ schemaVersion: 2, mediaType: "application/vnd.docker.distribution.manifest.v2+json" },
      config: { mediaType: "application/vnd.docker.container.image.v1+json", digest: layer.digest, size: 1 },
      layers: [layer],
    },
    config: {
      ...{ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [layer.digest] } },
      ...config,
    },
  };
}

describe("composeImage", () => {
  it("stacks layers, diff IDs and history in order, the base first", () => {
    fc.assert(
      fc.property(image, fc.array(image, { maxLength: 4 }), (base, layers) => {
        const composed = composeImage(base, layers, { labels: {} });
        const all = [base, ...layers];
        expect(composed.layers).toEqual(all.flatMap(({ manifest }) => manifest.layers));
        expect(composed.config.rootfs).toEqual({
          type: "layers",
          diff_ids: all.flatMap(({ config }) => config.rootfs.diff_ids),
        });
        expect(composed.config.history).toEqual(all.flatMap(({ config }) => config.history ?? []));
      }),
    );
  });

  it("keeps the base's settings and labels, and puts the new labels over them; those of layers count for nothing", () => {
    const labels = fc.dictionary(fc.constantFrom("b", "c", "d"), fc.string());
    fc.assert(
      fc.property(image, image, labels, (base, layer, added) => {
        const { config } = composeImage(base, [layer], { labels: added }).config;
        expect(config).toEqual({ ...base.config.config, Labels: { ...base.config.config?.Labels, ...added } });
      }),
    );
  });

  it("is pure: the same documents again, and its inputs as they were", () => {
    fc.assert(
      fc.property(image, fc.array(image), (base, layers) => {
        const before = JSON.stringify([base, layers]);
        const one = JSON.stringify(composeImage(base, layers, { labels: { a: "1" } }));
        expect(JSON.stringify(composeImage(base, layers, { labels: { a: "1" } }))).toBe(one);
        expect(JSON.stringify([base, layers])).toBe(before);
      }),
    );
  });

  it.each([
    ["application/vnd.docker.image.rootfs.diff.tar.gzip", OCI.layer],
    [OCI.layer, OCI.layer],
    ["application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.oci.image.layer.v1.tar+zstd"],
    ["application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar"],
    ["application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"],
  ])("a layer of type %s becomes %s", (mediaType, expected) => {
    expect(composeImage(imageOf(mediaType), [], { labels: {} }).layers).toEqual([
      { mediaType: expected, digest: `sha256:${"1".repeat(64)}`, size: 3 },
    ]);
  });

  it("keeps what names the image and drops what its build left behind", () => {
    const base = imageOf(OCI.layer, {
      ...{ created: "2026-01-01T00:00:00Z", author: "acme", variant: "v8" },
      ...{ container: "abc", container_config: {}, docker_version: "28", "moby.buildkit.cache.v0": "x" },
    });
    expect(composeImage(base, [], { labels: { l: "1" } }).config).toEqual({
      ...{ architecture: "amd64", os: "linux", created: "2026-01-01T00:00:00Z", author: "acme", variant: "v8" },
      config: { Labels: { l: "1" } },
      rootfs: base.config.rootfs,
      history: [],
    });
  });

  it("adds variables, and sets anew those that the base has", () => {
    const base = imageOf(OCI.layer, { config: { Env: ["PATH=/bin", "GOFLAGS=-mod=mod", "A=b=c"] } });
    const { config } = composeImage(base, [], { labels: {}, environment: { GOFLAGS: "-tags=a", B: "" } });
    expect(config.config?.Env).toEqual(["PATH=/bin", "A=b=c", "GOFLAGS=-tags=a", "B="]);
  });

  it.each([{ architecture: "arm64" }, { os: "windows" }])("refuses a layer of another platform: %j", (other) => {
    const { architecture, os } = { architecture: "amd64", os: "linux", ...other };
    expect(() =>
      composeImage(imageOf(OCI.layer), [imageOf(OCI.layer), imageOf(OCI.layer, other)], { labels: {} }),
    ).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: `a layer is for ${os}/${architecture}, the base for linux/amd64`,
      }),
    );
  });
});
