import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTag } from "../../../registry/image-reference.ts";
import { RUNNER_LANGUAGES, RUNNER_VARIANTS, runnerBuildTag, runnerRelease } from "../../../release/runner-image.ts";
import { runnerMatrix } from "../../../release/runner-matrix.ts";
import { parseRunnerTag } from "../../../release/runner-tag.ts";

const REGISTRIES = {
  production: ["public.ecr.aws/acme", "ghcr.io/acme/infra"],
  preproduction: ["public.ecr.aws/acme-dev"],
};
const tags = fc
  .tuple(fc.constantFrom("v", "latest-v", "dev-v"), fc.nat({ max: 9 }), fc.nat({ max: 300 }), fc.nat({ max: 9 }))
  .map(([prefix, ...numbers]) => parseRunnerTag(`${prefix}${numbers.join(".")}`));
const digests = fc
  .array(fc.constantFrom(..."0 1 2 3 4 5 6 7 8 9 a b c d e f".split(" ")), { minLength: 64, maxLength: 64 })
  .map((digits) => `sha256:${digits.join("")}`);

describe("a release of language runners", () => {
  it("is an image a language and variant, in the registry of its environment and all its mirrors", () => {
    const { targets } = runnerRelease(parseRunnerTag("v3.253.0"), { registries: REGISTRIES });
    expect(targets).toHaveLength(RUNNER_LANGUAGES.length * RUNNER_VARIANTS.length);
    expect(targets.find(({ language, variant }) => language === "golang" && variant === "tools")).toEqual({
      language: "golang",
      variant: "tools",
      imageTag: "v3.253.0-tools",
      repositories: ["public.ecr.aws/acme/runner-pulumi-golang", "ghcr.io/acme/infra/runner-pulumi-golang"],
    });
  });

  it("of a dev tag never reaches production, and no other one reaches preproduction", () => {
    fc.assert(
      fc.property(tags, (tag) => {
        const { targets } = runnerRelease(tag, { registries: REGISTRIES });
        const isDev = tag.tag.startsWith("dev-");
        for (const { repositories } of targets) {
          for (const to of repositories) expect(to.startsWith("public.ecr.aws/acme-dev/")).toBe(isDev);
        }
        expect(targets.some(({ imageTag }) => imageTag.startsWith("latest"))).toBe(tag.tag.startsWith("latest-"));
      }),
    );
  });

  it("has no two images of one name", () => {
    fc.assert(
      fc.property(tags, (tag) => {
        const { targets } = runnerRelease(tag, { registries: REGISTRIES });
        const names = targets.flatMap(({ repositories, imageTag }) => repositories.map((to) => `${to}:${imageTag}`));
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });

  it("is built on a runner of each platform", () => {
    const { targets } = runnerRelease(parseRunnerTag("v3.253.0"), { registries: REGISTRIES, languages: ["yaml"] });
    expect(runnerMatrix(targets).include).toEqual([
      { language: "yaml", variant: "slim", platform: "linux/amd64", runs_on: "ubuntu-24.04" },
      { language: "yaml", variant: "slim", platform: "linux/arm64", runs_on: "ubuntu-24.04-arm" },
      { language: "yaml", variant: "tools", platform: "linux/amd64", runs_on: "ubuntu-24.04" },
      { language: "yaml", variant: "tools", platform: "linux/arm64", runs_on: "ubuntu-24.04-arm" },
    ]);
  });
});

describe("a build tag", () => {
  it("names version, variant and content", () => {
    fc.assert(
      fc.property(tags, fc.constantFrom(...RUNNER_VARIANTS), digests, ({ version }, variant, digest) => {
        const buildTag = runnerBuildTag(version, variant, digest);
        const ending = variant === "tools" ? "-tools" : "";
        expect(isTag(buildTag)).toBe(true);
        expect(buildTag).toBe(`v${version.text}${ending}-${digest.slice(7, 19)}`);
      }),
    );
  });

  it("is none of the tags that move, nor that of other bytes, another version or the other variant", () => {
    fc.assert(
      fc.property(tags, tags, digests, digests, (tag, other, digest, otherDigest) => {
        const moving = runnerRelease(tag, { registries: REGISTRIES }).targets.map(({ imageTag }) => imageTag);
        const buildTag = runnerBuildTag(tag.version, "slim", digest);
        expect(moving).not.toContain(buildTag);
        expect(runnerBuildTag(tag.version, "tools", digest)).not.toBe(buildTag);
        const isSame = tag.version.text === other.version.text && digest === otherDigest;
        expect(runnerBuildTag(other.version, "slim", otherDigest) === buildTag).toBe(isSame);
      }),
    );
  });
});
