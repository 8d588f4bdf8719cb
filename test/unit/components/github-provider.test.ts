import { describe, expect, it, vi } from "vitest";
import { githubProvider } from "../../../components/github-provider.ts";
import { recordResources, valueOf } from "../../support/mocks.ts";

describe("the provider of one GitHub owner", () => {
  it.each([
    ["github.com", "https://api.github.com/"],
    ["github.acme.example", "https://github.acme.example/api/v3/"],
  ])("asks %s at %s, and leaves the token in the environment", async (host, baseUrl) => {
    vi.stubEnv("GITHUB_TOKEN", "token-in-no-input");
    const recorded = await recordResources();
    await valueOf(githubProvider("github", { owner: "acme", host }).urn);
    expect(recorded.map(({ type, name }) => `${type} ${name}`)).toEqual(["pulumi:providers:github github"]);
    expect(recorded[0]?.inputs).toMatchObject({ owner: "acme", baseUrl });
    expect(JSON.stringify(recorded)).not.toContain("token-in-no-input");
  });
});
