import { describe, expect, it } from "vitest";
import { isPublicEcr, publicRepositoryArn, publicRepositoryName } from "../../../registry/public-ecr.ts";

describe("public ECR", () => {
  it.each([
    ["public.ecr.aws/acme", true],
    ["public.ecr.aws/acme/tools", true],
    ["public.ecr.aws.example.com/acme", false],
    ["123456789012.dkr.ecr.us-east-1.amazonaws.com", false],
    ["ghcr.io/acme/infra", false],
    ["localhost:5180", false],
  ])("%s: %s", (registry, expected) => {
    expect(isPublicEcr(registry)).toBe(expected);
  });

  it.each([
    ["public.ecr.aws/acme", "runner-pulumi-golang", "runner-pulumi-golang"],
    ["public.ecr.aws/a1b2c3d4/tools", "runner-pulumi-golang", "tools/runner-pulumi-golang"],
  ])("manages the image of %s, %s, as %s", (registry, image, name) => {
    expect(publicRepositoryName(registry, image)).toBe(name);
  });

  it.each([
    ["public.ecr.aws", "a", /names no alias/],
    ["public.ecr.aws/", "a", /names no alias/],
    ["public.ecr.aws/Acme", "a", /names no alias/],
    ["public.ecr.aws/acme/", "a", /names no alias/],
    ["public.ecr.aws/acme", "Runner", /no name of a repository/],
    ["public.ecr.aws/acme", "../other", /no name of a repository/],
    ["public.ecr.aws/acme", "a".repeat(206), /no name of a repository/],
  ])("refuses %s, %s", (registry, image, message) => {
    expect(() => publicRepositoryName(registry, image)).toThrow(message);
  });

  it("names a repository without a region: there is but one", () => {
    expect(publicRepositoryArn("123456789012", "a/b")).toBe("arn:aws:ecr-public::123456789012:repository/a/b");
  });
});
