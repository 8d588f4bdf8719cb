import { describe, expect, it } from "vitest";
import { RUNNER_LANGUAGES } from "../../../release/runner-image.ts";
import { FILE, settingsOf, type Raw } from "../../support/runner-settings.ts";

const REQUIRED = { environment: "production", account: "012345678901", repository: "acme/infra" };
const read = (about: Raw) => settingsOf({ languageRunners: { ...REQUIRED, ...about } }).languageRunners;

describe("the registry of language runners in a stack", () => {
  it("is none where the stack says nothing", () => {
    expect(settingsOf({}).languageRunners).toBeUndefined();
    expect(settingsOf({ languageRunners: {} }).languageRunners).toBeUndefined();
  });

  it("has every default filled in", () => {
    expect(read({})).toEqual({
      ...REQUIRED,
      githubEnvironment: "runners-production",
      identityProvider: "existing",
      languages: RUNNER_LANGUAGES,
      protect: true,
    });
    expect(read({ environment: "preproduction" })).toMatchObject({
      githubEnvironment: "runners-preproduction",
      protect: false,
    });
  });

  it("says all that a stack says, each language once", () => {
    const all = { githubEnvironment: "images", identityProvider: "create", protect: false, region: "us-east-1" };
    const { region, ...others } = all;
    expect(region).toBe("us-east-1");
    expect(read({ ...all, languages: ["python", "golang", "python"] })).toEqual({
      ...REQUIRED,
      ...others,
      languages: ["golang", "python"],
    });
  });

  it.each<[string, Raw, string]>([
    ["no environment", { environment: undefined }, "environment is not set"],
    ["another environment", { environment: "pre-production" }, 'environment is "pre-production", which is none of its'],
    ["another region", { region: "eu-central-1" }, 'region is "eu-central-1", but public ECR is managed in us-east-1'],
    ["an account without quotes", { account: 12345678901 }, "account is a number, of which zeros"],
    ["an account that is none", { account: "1234" }, 'account is "1234", but an AWS account has 12 digits'],
    ["no repository", { repository: "infra" }, 'repository is "infra", which is no repository'],
    ["a wildcard", { githubEnvironment: "runners-*" }, 'githubEnvironment is "runners-*", which cannot be used'],
    ["a subject of its own", { githubEnvironment: "a:ref:b" }, "which cannot be used"],
    ["a language that has no image", { languages: ["golang", "rust"] }, 'languages[1] is "rust", which is none of'],
    ["a key that is none", { registryAlias: "acme" }, "registryAlias is not a setting"],
  ])("refuses %s", (_, about, message) => {
    expect(() => read(about)).toThrow(message);
    expect(() => read(about)).toThrow(`${FILE}: kiln:languageRunners.`);
  });
});
