import { expect, it } from "vitest";
import { ImageRepository } from "../../../components/image-repository.ts";
import type { ImageName } from "../../../registry/repository-names.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

it.each<[string, ImageName | undefined, string]>([
  ["localhost:5180", undefined, "localhost:5180/kiln/base-images/iac-runner"],
  ["ghcr.io/acme/infra", undefined, "ghcr.io/acme/infra/base-images/iac-runner"],
  ["localhost:5180", "actions-runner", "localhost:5180/kiln/base-images/actions-runner"],
  ["ghcr.io/acme/infra", "actions-runner", "ghcr.io/acme/infra/base-images/actions-runner"],
])("gives the repository of %s for image %s and creates nothing", async (registry, image, url) => {
  const resources = await recordResources();
  const repository = new ImageRepository("images", { registry, ...(image === undefined ? {} : { image }) });
  await valueOf(repository.urn);
  expect(await valueOf(repository.url)).toBe(url);
  expect(resources.map(({ type, name }) => `${type} ${name}`)).toEqual(["kiln:registry:ImageRepository images"]);
});
