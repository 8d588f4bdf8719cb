import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AWS_PROVIDER_DIRECTORY } from "../../toolchain/plugins/directories.ts";
import { isExtended } from "../support/extended.ts";
import { LoopbackProgram } from "../support/loopback-program.ts";

const LANGUAGES = ["dotnet", "golang", "java", "javascript", "python", "yaml"];
const ENVIRONMENTS = {
  production: { alias: "acme", account: "111122223333", identityProvider: "existing" },
  preproduction: { alias: "acme-dev", account: "444455556666", identityProvider: "create" },
} as const;

type Environment = keyof typeof ENVIRONMENTS;

let program: LoopbackProgram;

beforeAll(async () => {
  program = await LoopbackProgram.create([AWS_PROVIDER_DIRECTORY]);
});

afterAll(() => program.remove());

function registryOf(environment: Environment): string {
  const { alias, account, identityProvider } = ENVIRONMENTS[environment];
  return `import { LanguageRunnerRegistry } from "kiln/components/language-runner-registry.ts";
export const { repositories, role } = new LanguageRunnerRegistry("language-runners", {
  environment: "${environment}",
  registries: ["public.ecr.aws/${alias}", "ghcr.io/acme/infra"],
  languages: ${JSON.stringify(LANGUAGES)},
  account: "${account}",
  repository: "acme/infra",
  githubEnvironment: "runners-${environment}",
  identityProvider: "${identityProvider}",
  protect: false,
});
`;
}

interface Step {
  readonly urn: string;
  readonly newState?: { readonly type: string; readonly inputs?: Readonly<Record<string, unknown>> };
}

/** What a preview would make, by the names of resources. */
async function previewed(environment: Environment): Promise<Readonly<Record<string, Step["newState"]>>> {
  await program.write(registryOf(environment));
  await program.pulumi("stack", "init", environment, "--no-select");
  const { code, stdout, stderr } = await program.pulumi("preview", "--json", "--stack", environment);
  expect(code, stdout + stderr).toBe(0);
  const { steps } = JSON.parse(stdout) as { steps: readonly Step[] };
  return Object.fromEntries(
    steps.map(({ urn, newState }) => [`${newState?.type ?? ""} ${urn.split("::").at(-1) ?? ""}`, newState]),
  );
}

describe("the registry of language runners on the engine", () => {
  it.each<[Environment, readonly string[]]>([
    ["production", []],
    ["preproduction", ["aws:iam/openIdConnectProvider:OpenIdConnectProvider language-runners-publisher-github"]],
  ])("is planned for %s, with every policy whole", async (environment, more) => {
    const { account } = ENVIRONMENTS[environment];
    const steps = await previewed(environment);
    expect(Object.keys(steps).sort()).toEqual(
      [
        `pulumi:pulumi:Stack kiln-${environment}`,
        "pulumi:providers:aws language-runners",
        "kiln:registry:LanguageRunnerRegistry language-runners",
        "kiln:registry:PublishingRole language-runners-publisher",
        "aws:iam/role:Role language-runners-publisher",
        "aws:iam/rolePolicy:RolePolicy language-runners-publisher-push",
        ...LANGUAGES.flatMap((language) => [
          `kiln:registry:ImageRepository language-runners-${language}`,
          `aws:ecrpublic/repository:Repository language-runners-${language}`,
          `aws:ecrpublic/repositoryPolicy:RepositoryPolicy language-runners-${language}-publisher`,
        ]),
        ...more,
      ].sort(),
    );
    expect(steps["pulumi:providers:aws language-runners"]?.inputs).toMatchObject({
      region: "us-east-1",
      allowedAccountIds: JSON.stringify([account]),
    });
    const push = steps["aws:iam/rolePolicy:RolePolicy language-runners-publisher-push"]?.inputs?.policy;
    expect(push).toContain(`"arn:aws:ecr-public::${account}:repository/runner-pulumi-yaml"`);
    const [, own] = /"aws:PrincipalArn":"([^"]+)"/.exec(JSON.stringify(steps).replaceAll("\\", "")) ?? [];
    expect(own).toBe(`arn:aws:iam::${account}:role/kiln-runners-${environment}`);
    const trust = steps["aws:iam/role:Role language-runners-publisher"]?.inputs?.assumeRolePolicy;
    // The address of an identity provider that is still to be made is known to nobody.
    if (environment === "production") expect(trust).toContain(`"repo:acme/infra:environment:runners-production"`);
  });

  it.runIf(isExtended)("is made, and then stays as it is", async () => {
    const run = (...command: readonly string[]) => program.pulumi(...command, "--stack", "test-runners");
    await program.write(registryOf("production"));
    await program.pulumi("stack", "init", "test-runners", "--no-select");
    const first = await run("up", "--yes", "--skip-preview");
    expect(first.stdout).toContain("+ 24 created");
    expect((await run("up", "--yes", "--skip-preview")).stdout).toContain("24 unchanged");
    const { repositories, role } = JSON.parse((await run("stack", "output", "--json")).stdout) as {
      repositories: Readonly<Record<string, string>>;
      role: string;
    };
    expect(role).toMatch(/^loopback-arn-/);
    expect(repositories).toEqual(
      Object.fromEntries(LANGUAGES.map((language) => [language, `public.ecr.aws/acme/runner-pulumi-${language}`])),
    );
  });
});
