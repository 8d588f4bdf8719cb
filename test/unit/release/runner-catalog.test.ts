import { describe, expect, it } from "vitest";
import { runnerCatalog } from "../../../release/runner-catalog.ts";
import { RUNNER_LANGUAGES } from "../../../release/runner-image.ts";

const PLACE = {
  environment: "production",
  registries: ["public.ecr.aws/acme", "ghcr.io/acme/infra"],
  repository: "acme/infra",
} as const;

describe("what the gallery shows", () => {
  // Amazon's limits: a description of 1024 characters, texts of 10240 (RepositoryCatalogDataInput).
  it.each(RUNNER_LANGUAGES)("of %s is short enough, and names the image and its mirror", (language) => {
    const { description, about, usage } = runnerCatalog(language, PLACE);
    expect(description.length).toBeLessThan(1024);
    expect(Math.max(about.length, usage.length)).toBeLessThan(10_240);
    expect(usage).toContain(`public.ecr.aws/acme/runner-pulumi-${language}:latest`);
    expect(about).toContain(`\`ghcr.io/acme/infra/runner-pulumi-${language}\``);
    expect(about).not.toContain("To try");
  });

  it("says of images to try that they are", () => {
    const { description, about } = runnerCatalog("golang", {
      ...PLACE,
      environment: "preproduction",
      registries: ["a/b"],
    });
    expect(description).toMatch(/: to try only$/);
    expect(about).toMatch(/^\*\*To try only\.\*\*/);
    expect(about).not.toContain("The same images");
  });
});
