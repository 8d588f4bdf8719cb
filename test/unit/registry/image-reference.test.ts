import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatReference,
  isImageReference,
  isTag,
  parsePinnedImage,
  parseReference,
  referrersTag,
  registryHost,
} from "../../../registry/image-reference.ts";

const hex = fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdef")), minLength: 64, maxLength: 64 });
const name = fc.stringMatching(/^[a-z0-9]+(-[a-z0-9]+)?$/);
const host = fc.constantFrom("localhost:5180", "ghcr.io", "127.0.0.1:5000", "registry.example.com");
const pinned = fc
  .tuple(host, fc.array(name, { minLength: 1, maxLength: 4 }), hex)
  .map(([at, path, digest]) => ({ repository: [at, ...path].join("/"), digest: `sha256:${digest}` }));

describe("parsePinnedImage", () => {
  it("gives back what formatReference wrote", () => {
    fc.assert(
      fc.property(pinned, (image) => {
        expect(parsePinnedImage(formatReference(image))).toEqual(image);
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

describe("parseReference", () => {
  const repository = fc
    .tuple(host, fc.array(name, { minLength: 1, maxLength: 4 }))
    .map(([at, path]) => [at, ...path].join("/"));
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
  const digest = hex.map((hash) => `sha256:${hash}`);

  it("gives back what formatReference wrote", () => {
    const reference = fc.oneof(fc.record({ repository, tag }), fc.record({ repository, digest }));
    fc.assert(
      fc.property(reference, (parts) => {
        expect(parseReference(formatReference(parts))).toEqual(parts);
      }),
    );
  });

  it("takes a tag and a digest together, of which the digest counts", () => {
    fc.assert(
      fc.property(repository, tag, digest, (of, called, content) => {
        const parts = parseReference(`${of}:${called}@${content}`);
        expect(parts).toEqual({ repository: of, tag: called, digest: content });
        expect(formatReference(parts)).toBe(`${of}@${content}`);
      }),
    );
  });

  it("does not take a registry's port for a tag", () => {
    expect(parseReference("localhost:5180/a")).toEqual({ repository: "localhost:5180/a" });
    expect(parseReference("localhost:5180/a:5000")).toEqual({ repository: "localhost:5180/a", tag: "5000" });
    expect(formatReference({ repository: "localhost:5180/a" })).toBe("localhost:5180/a:latest");
  });

  it.each(["", "https://ghcr.io/a", "ghcr.io/A/b", "a:b:c", "a@sha256:123", "a/", "a b", "a\n"])(
    "refuses %j",
    (text) => {
      expect(() => parseReference(text)).toThrow(
        expect.objectContaining({ kind: "usage", message: `"${text}" is not an image reference` }),
      );
    },
  );

  it("takes exactly what isImageReference takes", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[aA0.:/@_-]{0,8}$/), (text) => {
        const parse = () => parseReference(text);
        if (isImageReference(text)) expect(parse).not.toThrow();
        else expect(parse).toThrow();
      }),
    );
  });
});

describe("registryHost", () => {
  it.each([
    ["localhost:5180/kiln/a", "localhost:5180"],
    ["ghcr.io/acme/infra", "ghcr.io"],
    ["localhost:5180", "localhost:5180"],
  ])("of %s is %s", (repository, at) => {
    expect(registryHost(repository)).toBe(at);
  });
});
