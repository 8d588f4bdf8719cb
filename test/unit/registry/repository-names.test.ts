import { describe, expect, it } from "vitest";
import { imageRepository, isRegistry, warmRepository } from "../../../registry/repository-names.ts";

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
