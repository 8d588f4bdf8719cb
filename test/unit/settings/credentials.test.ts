import { describe, expect, it } from "vitest";
import { KilnError } from "../../../errors.ts";
import { parseConfigUrl } from "../../../runners/scale-set/config-url.ts";
import { credentialsOf, secretKeyOf, secretKeysIn } from "../../../settings/credentials.ts";
import { APP, SECRETS, type Raw } from "../../support/runner-settings.ts";

const ORGANIZATION = parseConfigUrl("https://github.com/acme", "url");
const ENTERPRISE = parseConfigUrl("https://github.com/enterprises/acme", "url");
const VAULT = { url: "https://v", tenantId: "t", clientId: "c", certificatePath: "/certificate" };

/** A stack with an App's key and a token, encrypted, and one value that is not. */
const KEYS = secretKeysIn(
  { ...SECRETS, registry: "ghcr.io/acme/infra" },
  (key) => key === "kiln:appKey" || key === "kiln:token",
  ["registry"],
);

function read(credentials: unknown, url = ORGANIZATION) {
  return credentialsOf({ file: "f", key: "kiln:c", value: credentials }, url, KEYS);
}

function refusalOf(work: () => unknown): KilnError {
  try {
    work();
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

function app(about: Raw): Raw {
  return { app: { ...APP.app, ...about } };
}

describe("credentials", () => {
  it.each<[string, Raw, Raw]>([
    ["an App", APP, { kind: "app", appId: "12", installationId: "34", privateKeyConfig: "kiln:appKey" }],
    [
      "an App by its client id",
      app({ id: "Iv23liABC", privateKeyConfig: "appKey" }),
      { kind: "app", appId: "Iv23liABC", installationId: "34", privateKeyConfig: "kiln:appKey" },
    ],
    ["a token", { token: "token" }, { kind: "token", tokenConfig: "kiln:token" }],
    ["a Secret", { secret: "github-app" }, { kind: "existing", secretName: "github-app" }],
    ["a vault", { vault: { secret: "s", ...VAULT } }, { kind: "vault", secretName: "s", vault: VAULT }],
    ["one of them, the others empty", { app: null, token: "token" }, { kind: "token", tokenConfig: "kiln:token" }],
  ])("are %s", (_, given, credentials) => {
    expect(read(given)).toEqual(credentials);
    expect(read(given)).toSatisfy(Object.isFrozen);
  });

  it("of an enterprise are a token", () => {
    expect(read({ token: "kiln:token" }, ENTERPRISE)).toEqual({ kind: "token", tokenConfig: "kiln:token" });
  });

  it.each<[string, unknown, string]>([
    ["nothing", {}, "kiln:c is not set"],
    ["nothing at all", undefined, "kiln:c is not set"],
    ["two", { secret: "a", token: "b" }, "kiln:c names secret and token, but takes one of them"],
    ["a text", SECRETS.token, "kiln:c must be a map of settings, but is a string"],
    ["no Secret", { secret: "" }, "kiln:c.secret is not set"],
    ["an App's key alone", { app: SECRETS.appKey }, "kiln:c.app must be a map of settings, but is a string"],
    ["an App's key beside", app({ privateKey: SECRETS.appKey }), "kiln:c.app.privateKey is not a setting"],
    ["no id", app({ id: "" }), "kiln:c.app.id is not set"],
    ["no installation", app({ installationId: undefined }), "kiln:c.app.installationId is not set"],
    ["an id that is none", app({ id: SECRETS.token }), "kiln:c.app.id is no App id"],
    ["an id with a fraction", app({ id: 1.5 }), "kiln:c.app.id is no App id"],
    ["an installation by its address", app({ installationId: "/34" }), "kiln:c.app.installationId is no number"],
    ["no key", app({ privateKeyConfig: "" }), "kiln:c.app.privateKeyConfig is not set"],
    [
      "the key itself",
      app({ privateKeyConfig: SECRETS.appKey }),
      "kiln:c.app.privateKeyConfig is no configuration key",
    ],
    ["the key of another project", { token: "other:token" }, "kiln:c.token is no configuration key"],
    ["the token itself", { token: SECRETS.token }, "kiln:c.token names a key that is not set in this stack"],
    ["a number", { token: 5318008 }, "kiln:c.token must be text, but is a number"],
    [
      "a key of something else",
      app({ privateKeyConfig: "kiln:token" }),
      "kiln:c.app.privateKeyConfig names kiln:token, whose value is no PEM: it has no BEGIN line",
    ],
    [
      "a value in plain text",
      { token: "kiln:registry" },
      "kiln:c.token names kiln:registry, which stands in the stack's file unencrypted",
    ],
    ["half a vault", { vault: { secret: "s", url: "https://v" } }, "kiln:c.vault.tenantId is not set"],
  ])("with %s are refused, and nothing that could be a secret is repeated", (_, given, message) => {
    const error = refusalOf(() => read(given));
    expect(error).toMatchObject({ kind: "usage", message: `f: ${message}` });
    const text = `${error.message} ${error.mend ?? ""}`;
    expect(text).not.toContain(SECRETS.token);
    expect(text).not.toContain(SECRETS.appKey.slice(40, 80));
    expect(text).not.toContain("5318008");
  });

  it("of an App are refused for an enterprise before anybody asks for its key", () => {
    const error = refusalOf(() => read(app({ privateKeyConfig: "kiln:notThereYet" }), ENTERPRISE));
    expect(error.message).toBe("f: kiln:c.app cannot register runners for an enterprise: GitHub has no App for that");
    expect(error.mend).toContain("token");
  });
});

describe("the secrets of a stack", () => {
  it("are what is encrypted and no setting; all else is its settings", () => {
    const raw = { registry: "encrypted", spare: "plain", appKey: "key" };
    const keys = secretKeysIn(raw, (key) => key !== "kiln:spare", ["registry"]);
    expect(keys.others).toEqual({ registry: "encrypted", spare: "plain" });
    expect(keys.valueOf("kiln:appKey")).toBe("key");
  });

  it.each(["appKey", "other:appKey", "kiln:none", "kiln:constructor"])("have no value under %s", (key) => {
    expect(KEYS.valueOf(key)).toBeUndefined();
  });

  it("are named with their namespace, or without", () => {
    const field = { file: "f", key: "kiln:k" };
    expect(secretKeyOf({ ...field, value: "token" }, KEYS, "a key")).toBe("kiln:token");
    expect(secretKeyOf({ ...field, value: "kiln:token" }, KEYS, "a key")).toBe("kiln:token");
    const error = refusalOf(() => secretKeyOf({ ...field, value: undefined }, KEYS, "the key of the token"));
    expect(error).toMatchObject({
      message: "f: kiln:k is not set",
      mend: "Set it to the key of the token, such as kiln:platformAppKey",
    });
  });
});
