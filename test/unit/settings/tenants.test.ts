import { describe, expect, it } from "vitest";
import { KilnError } from "../../../errors.ts";
import { FILE, runnersOf, tenantOf, type Raw } from "../../support/runner-settings.ts";

const tenant = (about: Raw) => runnersOf({ a: tenantOf(about) }).tenants.a;

describe("a tenant", () => {
  it("has nothing that its stack does not give it", () => {
    expect(tenant({})).toMatchObject({
      ...{ name: "a", proxy: undefined, certificateAuthority: undefined, imagePullSecrets: [], rebuild: undefined },
      url: { kind: "organization", host: "github.com", owner: "acme" },
      untrusted: undefined,
    });
  });

  it("takes what is left empty for not said", () => {
    const empty = { proxy: null, certificateAuthority: null, imagePullSecrets: null, rebuild: null, untrusted: null };
    expect(tenant(empty)).toEqual(tenant({}));
  });

  it("has zones that are told apart", () => {
    const both = tenant({ untrusted: { sets: { check: { maxRunners: 1 } } } });
    expect([both?.trusted.trust, both?.untrusted?.trust]).toEqual(["trusted", "untrusted"]);
    expect(both?.trusted.namespace).not.toBe(both?.untrusted?.namespace);
    expect(both?.trusted.runnerGroup).not.toBe(both?.untrusted?.runnerGroup);
  });

  it("says how its pods reach GitHub, and how its image is pulled and rebuilt", () => {
    const rebuild = { repositoryUrl: "https://github.com/acme/infra", workflow: "image.yml" };
    const about = {
      proxy: { http: { url: "http://a:1", credentialSecretRef: "p" }, noProxy: ["b"] },
      certificateAuthority: { configMap: "ghes", key: "ca.crt" },
      imagePullSecrets: ["pull"],
    };
    expect(tenant({ ...about, rebuild })).toMatchObject({
      ...about,
      proxy: { ...about.proxy, https: undefined },
      rebuild: { ...rebuild, at: `${FILE}: kiln:tenants.a.rebuild` },
    });
  });
});

describe("a tenant is refused", () => {
  it.each<[string, Raw, string]>([
    [
      "a proxy that is an address",
      { proxy: "http://u:hunter2@a:1" },
      "proxy must be a map of settings, but is a string",
    ],
    ["one level too high", { proxy: { http: "http://u:hunter2@a:1" } }, "proxy.http must be a map of settings, but is"],
    ["a proxy's password", { proxy: { https: { url: "http://:hunter2@a:1" } } }, "proxy.https.url holds a password"],
    ["a proxy's user", { proxy: { https: { url: "http://hunter2@a:1" } } }, "proxy.https.url holds a password"],
    ["a proxy without a scheme", { proxy: { http: { url: "u:hunter2@a:1" } } }, "proxy.http.url is no address of a"],
    [
      "a proxy of another kind",
      { proxy: { http: { url: "socks5://a:1" } } },
      "proxy.http.url is no address of a proxy",
    ],
    ["a proxy that is nowhere", { proxy: { http: {} } }, "proxy.http.url is not set"],
    ["no host to leave out", { proxy: { noProxy: [""] } }, "proxy.noProxy[0] is not set"],
    ["half an authority", { certificateAuthority: { configMap: "ghes" } }, "certificateAuthority.key is not set"],
    ["no Secret that pulls", { imagePullSecrets: [""] }, "imagePullSecrets[0] is not set"],
    ["half a rebuild", { rebuild: { workflow: "image.yml" } }, "rebuild.repositoryUrl is not set"],
    [
      "a rebuild by an App whose key only the controller reads",
      {
        rebuild: { repositoryUrl: "https://github.com/acme/infra", workflow: "image.yml" },
        credentials: {
          vault: { secret: "s", url: "https://v", tenantId: "t", clientId: "c", certificatePath: "/hunter2" },
        },
      },
      "rebuild cannot be started from the cluster: its App's key is in a vault",
    ],
    ["a key that it does not know", { trust: {} }, "trust is not a setting"],
  ])("with %s, by its key, and no password is repeated", (_, about, message) => {
    let error: unknown;
    try {
      tenant(about);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(KilnError);
    const { message: said, mend = "" } = error as KilnError;
    expect(said.startsWith(`${FILE}: kiln:tenants.a.${message}`), said).toBe(true);
    expect(`${said} ${mend}`).not.toContain("hunter2");
  });

  it.each(["A", "a_b", "-a", "a-", "1a", ""])("for its name: %j", (name) => {
    expect(() => runnersOf({ [name]: tenantOf() })).toThrow(`${FILE}: kiln:tenants.${name} has a name that cannot be`);
  });
});
