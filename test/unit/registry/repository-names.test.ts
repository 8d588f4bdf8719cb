import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isImageReference, parsePinnedImage } from "../../../registry/image-reference.ts";
import {
  imageRepository,
  isLoopback,
  isOwnImageName,
  isRegistry,
  warmRepository,
  type ImageName,
} from "../../../registry/repository-names.ts";

describe("repositories", () => {
  it.each([
    ["localhost:5180", "localhost:5180/kiln/base-images/iac-runner"],
    ["127.0.0.1:40123", "127.0.0.1:40123/kiln/base-images/iac-runner"],
    ["ghcr.io/acme/infra", "ghcr.io/acme/infra/base-images/iac-runner"],
  ])("of %s", (registry, repository) => {
    expect(imageRepository(registry)).toBe(repository);
    expect(warmRepository(registry)).toBe(`${repository}-warm`);
  });
});

describe("isRegistry", () => {
  it.each([
    "localhost",
    "localhost:5180",
    "127.0.0.1:1",
    "ghcr.io/a/b",
    "ghcr.io/your-org/your-repo",
    "ghcr.io/a/b.c_d",
  ])("takes %s", (address) => {
    expect(isRegistry(address)).toBe(true);
  });

  it.each([
    "",
    "localhost:5180/x",
    "https://ghcr.io/a/b",
    "ghcr.io",
    "ghcr.io/a",
    "ghcr.io/a/b/c",
    "ghcr.io/A/b",
    "x/y",
  ])("refuses %j", (address) => {
    expect(isRegistry(address)).toBe(false);
  });
});

describe("the images of a stack", () => {
  const IMAGES: readonly ImageName[] = ["iac-runner", "actions-runner", "language-golang", "job-python"];
  const word = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
  const registry = fc
    .oneof(
      fc.tuple(fc.constantFrom("localhost", "127.0.0.1"), fc.option(fc.integer({ min: 1, max: 65_535 }))),
      fc.tuple(word, word).map(([owner, repository]) => [`ghcr.io/${owner}/${repository}`, null] as const),
    )
    .map(([host, port]) => (port === null ? host : `${host}:${port}`))
    .filter(isRegistry);

  it("have a repository each, below their registry, where they can be pulled from by digest", () => {
    fc.assert(
      fc.property(registry, (address) => {
        const repositories = [...IMAGES.map((image) => imageRepository(address, image)), warmRepository(address)];
        expect(new Set(repositories).size).toBe(repositories.length);
        for (const repository of repositories) {
          expect(repository.startsWith(`${address}/`)).toBe(true);
          expect(isImageReference(`${repository}:latest`)).toBe(true);
          const digest = `sha256:${"a".repeat(64)}`;
          expect(parsePinnedImage(`${repository}@${digest}`)).toEqual({ repository, digest });
        }
      }),
    );
  });

  it.each([
    ["language-golang", true],
    ["job-python", true],
    ["language-python-aws2", true],
    ["iac-runner-warm", false],
    ["language-", false],
    ["language-Go", false],
    ["language-a--b", false],
    ["language-a/b", false],
  ])("of a stack's own may be called %j: %s", (name, may) => {
    expect(isOwnImageName(name)).toBe(may);
  });

  it("are the IaC runner's where none is named", () => {
    expect(imageRepository("ghcr.io/acme/infra")).toBe(imageRepository("ghcr.io/acme/infra", "iac-runner"));
  });
});

it.each([
  ["localhost:5180", true],
  ["127.0.0.1", true],
  ["localhost.example:5180", false],
  ["127.0.0.1.example", false],
  ["ghcr.io/acme/infra", false],
])("%s stays on this machine: %s", (address, local) => {
  expect(isLoopback(address)).toBe(local);
});
