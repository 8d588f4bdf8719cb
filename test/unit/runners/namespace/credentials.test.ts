import { describe, expect, it } from "vitest";
import { parseConfigUrl } from "../../../../runners/scale-set/config-url.ts";
import {
  credentialsVersionOf,
  credentialsWarnings,
  GITHUB_SECRET_KEYS,
  githubSecretData,
  requireCredentials,
  type Credentials,
} from "../../../../runners/namespace/credentials.ts";

const APP = { kind: "app", appId: "1234", installationId: "5678", privateKeyConfig: "kiln:appKey" } as const;
const TOKEN = { kind: "token", tokenConfig: "kiln:token" } as const;
const AT = "kiln:tenants.acme.credentials";
const organization = parseConfigUrl("https://github.com/acme", "url");
const enterprise = parseConfigUrl("https://github.com/enterprises/acme", "url");

describe("requireCredentials", () => {
  it.each([
    APP,
    { ...APP, appId: "Iv23liABCdef" },
    TOKEN,
    { kind: "existing", secretName: "x" },
  ] satisfies Credentials[])("takes %j", (credentials) => {
    expect(() => {
      requireCredentials(credentials, organization, AT);
    }).not.toThrow();
  });

  it.each([
    [{ ...APP, appId: "" }, "app.id is no App id"],
    [{ ...APP, appId: "platform-app" }, "app.id is no App id"],
    [{ ...APP, installationId: "" }, "app.installationId is no number"],
    [{ ...APP, installationId: "https://github.com/x/1" }, "app.installationId is no number"],
    [{ ...APP, privateKeyConfig: "" }, "app.privateKeyConfig is no configuration key"],
    [{ kind: "token", tokenConfig: "ghp_pasted" }, "token is no configuration key"],
    [{ kind: "existing", secretName: "" }, "secret is empty"],
  ] satisfies [Credentials, string][])("refuses %j", (credentials, problem) => {
    expect(() => {
      requireCredentials(credentials, organization, AT);
    }).toThrow(`${AT}.${problem}`);
  });

  it("does not repeat a secret that was pasted in the place of its key", () => {
    const pasted = { kind: "token", tokenConfig: "ghp_0123456789abcdef" } as const;
    expect(() => {
      requireCredentials(pasted, organization, AT);
    }).toThrow(/^(?!.*ghp_)/);
  });

  it("refuses an App for an enterprise, which takes a token", () => {
    expect(() => {
      requireCredentials(APP, enterprise, AT);
    }).toThrow("cannot register runners for an enterprise");
    expect(() => {
      requireCredentials(TOKEN, enterprise, AT);
    }).not.toThrow();
  });
});

it("advises an App in the place of a token, except for an enterprise, which has no other way", () => {
  expect(credentialsWarnings(TOKEN, organization)).toEqual([expect.stringContaining("use a GitHub App")]);
  expect(credentialsWarnings(TOKEN, enterprise)).toEqual([]);
  expect(credentialsWarnings(APP, organization)).toEqual([]);
});

it("makes the Secret of the keys that the controller reads", () => {
  expect(Object.keys(githubSecretData(APP, "pem"))).toEqual([...GITHUB_SECRET_KEYS.app]);
  expect(githubSecretData(TOKEN, "ghp_x\r\n")).toEqual({ github_token: "ghp_x" });
});

describe("the version of credentials", () => {
  it("does not depend on the order of the keys", () => {
    expect(credentialsVersionOf({ a: "1", b: "2" })).toBe(credentialsVersionOf({ b: "2", a: "1" }));
  });

  it.each([{ a: "1", b: "3" }, { a: "1" }, { a: "1b", "": "2" }, { a: "1", c: "2" }])("changes with %j", (other) => {
    expect(credentialsVersionOf(other as Record<string, string>)).not.toBe(credentialsVersionOf({ a: "1", b: "2" }));
  });
});
