import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { apiAddress } from "../../../../runners/github/package-state.ts";
import { freshnessPod, type FreshnessCheck } from "../../../../runners/upkeep/freshness-check.ts";

const CHECK: FreshnessCheck = { repositoryUrl: "https://github.com/acme/infra", workflow: "rebuild.yml" };
const AT = "kiln:freshness";
const envOf = (check: Partial<FreshnessCheck> = {}) =>
  Object.fromEntries(freshnessPod({ ...CHECK, ...check }, AT).env.map((variable) => [variable.name, variable]));

describe("freshnessPod", () => {
  it("says what to start where, in the names that the program reads", () => {
    expect(freshnessPod(CHECK, AT)).toEqual({
      schedule: "23 5 * * *",
      command: ["node", "/usr/local/lib/kiln/check-freshness.mjs"],
      env: [
        { name: "KILN_REPOSITORY", value: "acme/infra" },
        { name: "KILN_WORKFLOW", value: "rebuild.yml" },
        { name: "KILN_REF", value: "main" },
        { name: "KILN_APP_DIRECTORY", value: "/var/run/kiln/github" },
        { name: "KILN_REBUILD_AFTER_DAYS", value: "20" },
        { name: "GITHUB_API_URL", value: "https://api.github.com" },
      ],
      volumes: [],
      mounts: [],
    });
  });

  it("goes through the proxy, whose login comes from its Secret and stands nowhere else", () => {
    const proxy = {
      http: { url: "http://proxy:3128", credentialSecretRef: "proxy-login" },
      noProxy: [".svc", "10.0.0.0/8"],
    };
    const env = envOf({ proxy });
    const login = "http://$(HTTPS_PROXY_USERNAME):$(HTTPS_PROXY_PASSWORD)@proxy:3128";
    expect(env.HTTPS_PROXY?.value).toBe(login);
    expect(env.HTTPS_PROXY_PASSWORD?.valueFrom?.secretKeyRef).toEqual({ name: "proxy-login", key: "password" });
    expect(env.NO_PROXY?.value).toBe(".svc,10.0.0.0/8");
    expect(env.NODE_USE_ENV_PROXY?.value).toBe("1");
    expect(envOf({ proxy: { https: { url: "http://other:1" } } })).not.toHaveProperty("HTTP_PROXY");
  });

  it("names a variable before the one that refers to it, since the kubelet expands no later ones", () => {
    const names = freshnessPod(
      { ...CHECK, proxy: { https: { url: "http://proxy:3128", credentialSecretRef: "login" } } },
      AT,
    ).env.map(({ name }) => name);
    expect(names.indexOf("HTTPS_PROXY")).toBeGreaterThan(names.indexOf("HTTPS_PROXY_PASSWORD"));
  });

  it("trusts the certificate of a GitHub Enterprise Server", () => {
    const pod = freshnessPod(
      {
        ...CHECK,
        repositoryUrl: "https://git.acme.example/acme/infra",
        certificateAuthority: { configMap: "ca", key: "ca.crt" },
      },
      AT,
    );
    expect(pod.env).toContainEqual({ name: "NODE_EXTRA_CA_CERTS", value: "/var/run/kiln/certificates/ca.crt" });
    expect(pod.env).toContainEqual({ name: "GITHUB_API_URL", value: "https://git.acme.example/api/v3" });
    expect(pod.volumes).toEqual([
      { name: "certificates", configMap: { name: "ca", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    ]);
    expect(pod.mounts).toEqual([{ name: "certificates", mountPath: "/var/run/kiln/certificates", readOnly: true }]);
  });

  it.each([
    [{ repositoryUrl: "https://github.com/acme" }, "repositoryUrl"],
    [{ repositoryUrl: "https://github.com/enterprises/acme" }, "repositoryUrl"],
    [{ repositoryUrl: "infra" }, "repositoryUrl"],
    [{ workflow: "rebuild" }, "workflow"],
    [{ workflow: "../x.yml" }, "workflow"],
    [{ ref: "" }, "ref"],
    [{ ref: "-main" }, "ref"],
    [{ schedule: "daily" }, "schedule"],
    [{ schedule: "0 5 * *" }, "schedule"],
    [{ schedule: "0 5 * * * *" }, "schedule"],
  ])("refuses %j, and names the key", (wrong, key) => {
    const refused = () => freshnessPod({ ...CHECK, ...wrong }, AT);
    expect(refused).toThrow(KilnError);
    expect(refused).toThrow(`${AT}.${key} is `);
  });

  it.each(["0 5 * * *", "*/30 0-6,12 1 jan-mar MON", "15 4 * * 1-5"])("takes the schedule %s", (schedule) => {
    expect(freshnessPod({ ...CHECK, schedule }, AT).schedule).toBe(schedule);
  });
});

it.each([
  ["github.com", "https://api.github.com"],
  ["www.github.com", "https://api.github.com"],
  ["acme.ghe.com", "https://api.acme.ghe.com"],
  ["git.acme.example:8443", "https://git.acme.example:8443/api/v3"],
])("the API of %s is %s", (host, api) => {
  expect(apiAddress(host)).toBe(api);
});
