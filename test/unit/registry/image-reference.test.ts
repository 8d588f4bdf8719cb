import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isImageReference,
  isTag,
  parsePinnedImage,
  pinnedReference,
  referrersTag,
} from "../../../registry/image-reference.ts";

const hex = fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdef")), minLength: 64, maxLength: 64 });
const name = fc.stringMatching(/^[a-z0-9]+(-[a-z0-9]+)?$/);
const host = fc.constantFrom("localhost:5180", "ghcr.io", "127.0.0.1:5000", "registry.example.com");
const pinned = fc
  .tuple(host, fc.array(name, { minLength: 1, maxLength: 4 }), hex)
  .map(([at, path, digest]) => ({ repository: [at, ...path].join("/"), digest: `sha256:${digest}` }));

describe("parsePinnedImage", () => {
  it("gives back what pinnedReference wrote", () => {
    fc.assert(
      fc.property(pinned, (image) => {
        expect(parsePinnedImage(pinnedReference(image))).toEqual(image);
      }),
    );
  });

  it.each([
    "r/warm",
    "r/warm:latest",
    `r/warm:latest@sha256:${"a".repeat(64)}`,
    `r/warm@sha256:${"a".repeat(63)}`,
    `r/warm@sha256:${"A".repeat(64)}`,
    `r/Warm@sha256:${"a".repeat(64)}`,
    `@sha256:${"a".repeat(64)}`,
    ` r/warm@sha256:${"a".repeat(64)}`,
    `r/warm@sha256:${"a".repeat(64)}\n`,
  ])("takes nothing else: %j", (text) => {
    expect(parsePinnedImage(text)).toBeUndefined();
  });
});

describe("isImageReference", () => {
  it.each([
    "debian",
    "debian:12",
    "docker.io/library/debian:bookworm-slim",
    "localhost:5180/a/b",
    `a@sha256:${"0".repeat(64)}`,
  ])("takes %s", (text) => {
    expect(isImageReference(text)).toBe(true);
  });

  it.each(["", "Debian", "debian:", "a b", "a/", "a@sha256:1", "debian:12\n"])("refuses %j", (text) => {
    expect(isImageReference(text)).toBe(false);
  });
});

describe("isTag", () => {
  it.each(["latest", "v1.2.3", "_", "a".repeat(128)])("takes %s", (text) => {
    expect(isTag(text)).toBe(true);
  });

  it.each(["", ".a", "-a", "a b", "a:b", "a".repeat(129), "a\n"])("refuses %j", (text) => {
    expect(isTag(text)).toBe(false);
  });
});

describe("referrersTag", () => {
  it("is a tag for every digest", () => {
    fc.assert(
      fc.property(hex, (digest) => {
        expect(isTag(referrersTag(`sha256:${digest}`))).toBe(true);
      }),
    );
  });
});
