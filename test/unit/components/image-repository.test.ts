import { expect, it } from "vitest";
import { recordResources, valueOf } from "../../support/mocks.ts";

it.each([
  ["localhost:5180", "localhost:5180/kiln/base-images/iac-runner"],
  ["ghcr.io/acme/infra", "ghcr.io/acme/infra/base-images/iac-runner"],
])("gives the repository of %s and creates nothing", async (registry, url) => {
  const resources = await recordResources();
  const { ImageRepository } = await import("../../../components/image-repository.ts");
  const repository = new ImageRepository("images", { registry });
  await valueOf(repository.urn);
  expect(await valueOf(repository.url)).toBe(url);
  expect(resources.map(({ type, name }) => `${type} ${name}`)).toEqual(["kiln:registry:ImageRepository images"]);
});
