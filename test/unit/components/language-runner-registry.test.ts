import { expect, it } from "vitest";
import {
  LanguageRunnerRegistry,
  type LanguageRunnerRegistryArgs,
} from "../../../components/language-runner-registry.ts";
import { recordResources, settled, valueOf } from "../../support/mocks.ts";

const ARGS: LanguageRunnerRegistryArgs = {
  environment: "production",
  registries: ["public.ecr.aws/acme", "ghcr.io/acme/infra"],
  languages: ["golang", "python"],
  account: "123456789012",
  repository: "acme/infra",
  githubEnvironment: "runners-production",
  identityProvider: "existing",
  protect: true,
};

async function made(changes: Partial<LanguageRunnerRegistryArgs> = {}) {
  const resources = await recordResources();
  const registry = new LanguageRunnerRegistry("runners", { ...ARGS, ...changes });
  await valueOf(registry.urn);
  await settled();
  return { registry, resources };
}

it("is a provider for one account, one role, and a repository with its policy a language", async () => {
  const { registry, resources } = await made();
  expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
    "aws:ecrpublic/repository:Repository runners-golang",
    "aws:ecrpublic/repository:Repository runners-python",
    "aws:ecrpublic/repositoryPolicy:RepositoryPolicy runners-golang-publisher",
    "aws:ecrpublic/repositoryPolicy:RepositoryPolicy runners-python-publisher",
    "aws:iam/role:Role runners-publisher",
    "aws:iam/rolePolicy:RolePolicy runners-publisher-push",
    "kiln:registry:ImageRepository runners-golang",
    "kiln:registry:ImageRepository runners-python",
    "kiln:registry:LanguageRunnerRegistry runners",
    "kiln:registry:PublishingRole runners-publisher",
    "pulumi:providers:aws runners",
  ]);
  const provider = resources.find(({ type }) => type === "pulumi:providers:aws");
  expect(provider?.inputs).toMatchObject({ region: "us-east-1", allowedAccountIds: '["123456789012"]' });
  expect(Object.keys(registry.repositories)).toEqual(["golang", "python"]);
});

it("makes nothing at a registry that makes repositories by itself", async () => {
  const { registry, resources } = await made({ registries: ["localhost:5180/kiln"] });
  expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
    "kiln:registry:ImageRepository runners-golang",
    "kiln:registry:ImageRepository runners-python",
    "kiln:registry:LanguageRunnerRegistry runners",
  ]);
  expect(registry.role).toBeUndefined();
  const { golang } = registry.repositories;
  expect(golang && (await valueOf(golang))).toBe("localhost:5180/kiln/runner-pulumi-golang");
});
