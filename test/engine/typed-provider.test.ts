import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AWS_PROVIDER_DIRECTORY, GITHUB_PROVIDER_DIRECTORY } from "../../toolchain/plugins/directories.ts";
import { errorsIn } from "../support/engine-project.ts";
import { LoopbackProgram } from "../support/loopback-program.ts";

const PLUGINS = [GITHUB_PROVIDER_DIRECTORY, AWS_PROVIDER_DIRECTORY];
const STACK = "test-typed";
const SECRET = "hunter2-in-no-file";
const TOKEN = "token-in-no-state";

let program: LoopbackProgram;

beforeAll(async () => {
  program = await LoopbackProgram.create(PLUGINS);
  await program.write("");
  for (const stack of [STACK, "dev"]) await program.pulumi("stack", "init", stack, "--no-select");
  await program.pulumi("config", "set", "--secret", "--stack", STACK, "token", SECRET);
});

afterAll(() => program.remove());

/** A program that registers what `body` says. Bare resources pass by the SDK's own checks. */
function registering(body: string): string {
  return `import * as pulumi from "@pulumi/pulumi";
import * as github from "@pulumi/github";
import * as aws from "@pulumi/aws";
${body}`;
}

const WHOLE = registering(`
const group = new github.ActionsRunnerGroup("group", { name: "trusted", visibility: "selected", selectedRepositoryIds: [7] });
new github.ActionsSecret("secret", { repository: "kiln", secretName: "TOKEN", value: new pulumi.Config().requireSecret("token") });
new github.ActionsVariable("variable", { repository: "kiln", variableName: "GROUP", value: pulumi.interpolate\`\${group.name} \${group.id}\` });
new aws.ecrpublic.Repository("images", { repositoryName: "iac-runner", catalogData: { architectures: ["x86-64"] } });
export const runners = group.runnersUrl;
export const found = github.getRepositoryOutput({ name: "kiln" }).repoId;
`);

async function up(): Promise<string> {
  const { code, stdout } = await program.pulumi("up", "--yes", "--skip-preview", "--stack", STACK);
  expect(code, stdout).toBe(0);
  return stdout;
}

async function outputs(): Promise<unknown> {
  return JSON.parse((await program.pulumi("stack", "output", "--json", "--stack", STACK)).stdout);
}

describe("resources of @pulumi/github and @pulumi/aws on the loopback plugins", () => {
  it("are planned without a network, and say so", async () => {
    await program.write(WHOLE);
    const { code, stdout } = await program.pulumi("preview", "--stack", STACK);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("+ 5 to create");
    expect(stdout).toContain("Using kiln's loopback github plugin");
  });

  it("are made, with answers that are made up but stay the same", async () => {
    expect(await up()).toContain("+ 5 created");
    const first = await outputs();
    expect(first).toEqual({
      runners: expect.stringMatching(/^loopback-runnersUrl-\d{6}$/) as string,
      found: expect.any(Number) as number,
    });
    expect(await up()).toContain("5 unchanged");
    expect(await outputs()).toEqual(first);
  });

  it("leave no secret in plain text behind, neither in state nor in what is printed", async () => {
    const stored = await program.stored();
    expect(stored).toContain("secretName");
    expect(stored).not.toContain(SECRET);
    expect((await program.pulumi("stack", "export", "--stack", STACK)).stdout).not.toContain(SECRET);
  });

  it("change exactly where their inputs do; what identifies one replaces it", async () => {
    await program.write(WHOLE.replace('visibility: "selected"', 'visibility: "all"').replace("TOKEN", "OTHER"));
    const { stdout } = await program.pulumi("preview", "--diff", "--stack", STACK);
    expect(stdout).toMatch(
      /~ github:index\/actionsRunnerGroup:ActionsRunnerGroup: \(update\)[^]*~ visibility: "selected" => "all"/,
    );
    expect(stdout).toMatch(/github:index\/actionsSecret:ActionsSecret: \((create-)?replace\)[^]*secretName/);
    expect(stdout).toMatch(/~ 1 to update[^]*\+-1 to replace[^]*3 unchanged/);
    expect(stdout).not.toContain(SECRET);
  });

  it("are refreshed from the state", async () => {
    await program.write(WHOLE);
    const { code, stdout } = await program.pulumi("refresh", "--yes", "--skip-preview", "--stack", STACK);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("5 unchanged");
  });

  it.each([
    [
      "an unknown property",
      `new pulumi.CustomResource("github:index/actionsVariable:ActionsVariable", "bad", { repository: "kiln", variableName: "A", valeu: "b", value: "b" });`,
      /valeu.*there is no such property: repository, value, variableName/,
    ],
    [
      "an unknown property inside",
      `new github.RepositoryRuleset("bad", { repository: "kiln", target: "tag", enforcement: "active", rules: { deletoin: true } } as never);`,
      /rules\.deletoin.*there is no such property: .*deletion/,
    ],
    [
      "a required property that is missing",
      `new pulumi.CustomResource("github:index/actionsRunnerGroup:ActionsRunnerGroup", "bad", { name: "x" });`,
      /visibility.*it is required, and missing/,
    ],
    [
      "a required property that is missing, of aws",
      `new pulumi.CustomResource("aws:ecrpublic/repository:Repository", "bad", {});`,
      /repositoryName.*it is required, and missing/,
    ],
    [
      "a type that the SDK does not have",
      `new pulumi.CustomResource("github:index/runnerGroup:RunnerGroup", "bad", {});`,
      /@pulumi\/github has no resource github:index\/runnerGroup:RunnerGroup/,
    ],
    [
      "a function that only GitHub could answer",
      `export const users = github.getUserOutput({ username: "x" }).id;`,
      /does not answer github:index\/getUser:getUser/,
    ],
  ])("with %s are refused at the preview, by name", async (_, body, message) => {
    await program.write(registering(body));
    const result = await program.pulumi("preview", "--stack", STACK);
    expect(result.code).not.toBe(0);
    expect(result.stdout + result.stderr).toMatch(message);
  });

  it("are gone after a destroy", async () => {
    await program.write(WHOLE);
    const { code, stdout } = await program.pulumi("destroy", "--yes", "--skip-preview", "--stack", STACK);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("5 deleted");
  });

  it("are never made in a stack of a real environment", async () => {
    await program.pulumi("config", "set", "--secret", "--stack", "dev", "token", SECRET);
    const preview = await program.pulumi("preview", "--stack", "dev");
    expect(preview.code, preview.stdout).toBe(0);
    const result = await program.pulumi("up", "--yes", "--skip-preview", "--stack", "dev");
    expect(result.code).not.toBe(0);
    expect(errorsIn(result).join()).toContain("stack dev can be previewed but not changed here");
  });
});

describe("GithubAccess on the real engine", () => {
  const stack = "test-access";
  const access = (plan: string) => `import { GithubAccess } from "kiln/components/github-access.ts";
import { githubProvider } from "kiln/components/github-provider.ts";
import { parseConfigUrl } from "kiln/runners/scale-set/config-url.ts";
const url = parseConfigUrl("https://github.com/acme", "url");
const workflow = "acme/kiln/.github/workflows/bake.yml@refs/heads/main";
export const { runnerGroups } = new GithubAccess("github", {
  owner: "acme",
  repository: "kiln",
  plan: "${plan}",
  visibility: "private",
  repositoryIds: [],
  runnerGroups: {
    trusted: { trust: "trusted", url, workflow, at: "kiln:tenants.a.trusted" },
    untrusted: { trust: "untrusted", url, workflow: undefined, at: "kiln:tenants.a.untrusted" },
  },
  environments: {
    prod: {
      reviewers: { teams: [5], users: [] },
      waitMinutes: 10,
      branches: ["main"],
      variables: { REGION: "eu" },
      secrets: { KUBECONFIG: "kiln:token" },
    },
  },
  variables: { PUSH_TO: "ghcr.io/acme/kiln" },
  secrets: { RELEASE_KEY: "kiln:token" },
  tagRules: { releaseAppId: 4242 },
}, { provider: githubProvider("github", { owner: "acme", host: "github.com" }) });
`;
  const run = (...command: readonly string[]) => program.pulumi(...command, "--stack", stack);

  beforeAll(async () => {
    await program.pulumi("stack", "init", stack, "--no-select");
    await run("config", "set", "--secret", "token", SECRET);
    program.env = { GITHUB_TOKEN: `${TOKEN}-of-today` };
  });

  it("is made of what the SDK knows, and then stays as it is", async () => {
    await program.write(access("enterprise"));
    const first = await run("up", "--yes", "--skip-preview");
    expect(first.code, first.stdout).toBe(0);
    expect(first.stdout).toContain("+ 15 created");
    expect(first.stdout).not.toContain("does not offer");
    program.env = { GITHUB_TOKEN: `${TOKEN}-of-tomorrow` };
    expect((await run("up", "--yes", "--skip-preview")).stdout).toContain("15 unchanged");
    const groups = await run("stack", "output", "--json");
    expect(JSON.parse(groups.stdout)).toEqual({ runnerGroups: { trusted: "trusted", untrusted: "untrusted" } });
  });

  it("keeps its secrets out of plain state, and GitHub's token out of all of it", async () => {
    const stored = await program.stored();
    expect(stored).toContain("RELEASE_KEY");
    expect(stored).not.toContain(SECRET);
    expect(stored).not.toContain(TOKEN);
    const shown = (await run("stack", "export", "--show-secrets")).stdout;
    expect(shown).toContain(SECRET);
    expect(shown).not.toContain(TOKEN);
  });

  it("says at the preview what a lesser plan does not offer, and plans without it", async () => {
    await program.write(access("free"));
    const { code, stdout } = await run("preview");
    expect(code, stdout).toBe(0);
    // Pulumi prints a warning as it comes and once more at the end.
    const missing = stdout.match(/GitHub Free does not offer [\w ]+?(?= for|:)/g) ?? [];
    expect([...new Set(missing)].map((line) => line.replace("GitHub Free does not offer ", ""))).toEqual([
      "environments",
      "rulesets",
      "runner groups restricted to workflows",
    ]);
    // The component itself is one of the two: its plan is another.
    expect(stdout).toMatch(/~ 2 to update[^]*- 8 to delete[^]*5 unchanged/);
  });

  it("leaves nothing", async () => {
    const { code, stdout } = await run("destroy", "--yes", "--skip-preview");
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("15 deleted");
  });
});
