import * as pulumi from "@pulumi/pulumi";
import { expect, it, onTestFinished, vi } from "vitest";
import { ImageRepository } from "../../../components/image-repository.ts";
import type { ImageName } from "../../../registry/repository-names.ts";
import { publishedBy } from "../../../release/publisher.ts";
import { recordResources, settled, valueOf } from "../../support/mocks.ts";

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

const ROLE = "arn:aws:iam::123456789012:role/kiln-runners-production";

it("makes a repository of public ECR, with what its gallery shows and the one role that pushes", async () => {
  const resources = await recordResources();
  const repository = new ImageRepository("golang", {
    registry: "public.ecr.aws/acme",
    repositoryName: "runner-pulumi-golang",
    publisher: ROLE,
    description: "Pulumi with Go",
    about: "About.",
    usage: "Usage.",
  });
  expect(await valueOf(repository.url)).toBe("public.ecr.aws/acme/runner-pulumi-golang");
  await settled();
  const [made, policy] = ["aws:ecrpublic/repository:Repository", "aws:ecrpublic/repositoryPolicy:RepositoryPolicy"].map(
    (wanted) => resources.find(({ type }) => type === wanted),
  );
  expect(resources).toHaveLength(3);
  expect(made?.inputs).toEqual({
    repositoryName: "runner-pulumi-golang",
    region: "us-east-1",
    catalogData: {
      architectures: ["ARM 64", "x86-64"],
      operatingSystems: ["Linux"],
      description: "Pulumi with Go",
      aboutText: "About.",
      usageText: "Usage.",
    },
  });
  expect(policy?.inputs).toMatchObject({ repositoryName: "runner-pulumi-golang", region: "us-east-1" });
  expect(JSON.parse(String(policy?.inputs.policy))).toEqual(publishedBy(ROLE));
});

it("says so where Amazon calls the repository otherwise", async () => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  onTestFinished(() => {
    warn.mockRestore();
  });
  await recordResources();
  const { url } = new ImageRepository("images", { registry: "public.ecr.aws/other" });
  expect(await valueOf(url)).toBe("public.ecr.aws/other/base-images/iac-runner");
  await settled();
  expect(warn.mock.calls.map(([message]) => message)).toEqual([
    "Amazon calls it public.ecr.aws/acme/base-images/iac-runner, not public.ecr.aws/other/base-images/iac-runner",
  ]);
});

it("registers nothing for an address that Amazon does not have", async () => {
  const resources = await recordResources();
  expect(() => new ImageRepository("images", { registry: "public.ecr.aws" })).toThrow(/names no alias/);
  expect(resources).toEqual([]);
});
