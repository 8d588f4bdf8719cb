import { expect, it } from "vitest";
import { PublishingRole, type PublishingRoleArgs } from "../../../components/publishing-role.ts";
import { publisherPermissions, publisherTrust } from "../../../release/publisher.ts";
import { recordResources, settled, valueOf } from "../../support/mocks.ts";

const ARGS: PublishingRoleArgs = {
  roleName: "kiln-runners-production",
  account: "123456789012",
  repository: "acme/infra",
  environment: "runners-production",
  repositories: ["runner-pulumi-golang"],
  identityProvider: "existing",
};
const PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

async function made(changes: Partial<PublishingRoleArgs> = {}) {
  const resources = await recordResources();
  const role = new PublishingRole("publisher", { ...ARGS, ...changes });
  const arn = await valueOf(role.arn);
  await settled();
  return { arn, resources };
}

it("is a role that one environment takes, with what pushing needs", async () => {
  const { arn, resources } = await made();
  expect(arn).toBe("arn:aws:iam::123456789012:role/kiln-runners-production");
  expect(resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
    "aws:iam/role:Role publisher",
    "aws:iam/rolePolicy:RolePolicy publisher-push",
    "kiln:registry:PublishingRole publisher",
  ]);
  const [role, policy] = ["publisher", "publisher-push"].map((own) =>
    resources.find(({ type, name }) => type.startsWith("aws:") && name === own),
  );
  expect(role?.inputs).toMatchObject({ name: "kiln-runners-production", maxSessionDuration: 3600 });
  expect(JSON.parse(String(role?.inputs.assumeRolePolicy))).toEqual(publisherTrust(PROVIDER, ARGS));
  expect(policy?.inputs).toMatchObject({ name: "push", role: "kiln-runners-production" });
  expect(JSON.parse(String(policy?.inputs.policy))).toEqual(publisherPermissions(ARGS.account, ARGS.repositories));
});

it("makes GitHub's identity provider in an account that has none, for this audience alone", async () => {
  const { resources } = await made({ identityProvider: "create" });
  const provider = resources.find(({ type }) => type === "aws:iam/openIdConnectProvider:OpenIdConnectProvider");
  expect(resources).toHaveLength(4);
  expect(provider?.inputs).toEqual({
    url: "https://token.actions.githubusercontent.com",
    clientIdLists: ["sts.amazonaws.com"],
  });
});
