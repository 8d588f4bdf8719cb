import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../errors.ts";
import { parseSettings } from "../../../settings.ts";

const { privateKey: PEM } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const ENCRYPTED = new Set(["kiln:platformAppKey", "kiln:spare"]);

type Raw = Readonly<Record<string, unknown>>;

const ZONE = { sets: { bake: { maxRunners: 2 } } };
const TENANT = { url: "https://github.com/acme", credentials: { secret: "github-app" }, trusted: ZONE };

function parse(raw: Raw) {
  return parseSettings("dev", { registry: "localhost:5180", ...raw }, (key) => ENCRYPTED.has(key));
}

function tenant(changes: Raw) {
  return { tenants: { platform: { ...TENANT, ...changes } } };
}

function trusted(changes: Raw) {
  return tenant({ trusted: { ...ZONE, ...changes } });
}

function bake(changes: Raw) {
  return trusted({ sets: { bake: { maxRunners: 2, ...changes } } });
}

function app(changes: Raw, key: unknown = PEM) {
  const credentials = { app: { id: 12, installationId: "34", privateKeyConfig: "kiln:platformAppKey", ...changes } };
  return { ...tenant({ credentials }), platformAppKey: key };
}

function refusalOf(raw: Raw): KilnError {
  try {
    parse(raw);
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a stack's runners", () => {
  it("are none where the stack says nothing, or what the schema in Pulumi.yaml gives", () => {
    expect(parse({}).runners).toBeUndefined();
    expect(parse({ cluster: "{}", controller: "{}", actionsRunner: "{}", tenants: "{}" }).runners).toBeUndefined();
  });

  it("have every default filled in", () => {
    const { runners } = parse(tenant({}));
    expect(runners?.cluster).toEqual({
      ...{ context: undefined, checks: "ifReachable", monitoring: "none", monitorLabels: {} },
    });
    expect(runners?.controller).toEqual({
      manage: true,
      namespace: "arc-systems",
      serviceAccount: "arc-controller",
      version: "0.14.2",
      replicas: 1,
      watchNamespace: undefined,
      crds: { kind: "official" },
      retainCrds: false,
      protect: false,
    });
    const platform = runners?.tenants.platform;
    expect(platform).toMatchObject({ name: "platform", credentials: { kind: "existing", secretName: "github-app" } });
    expect(platform?.untrusted).toBeUndefined();
    expect(platform?.trusted).toMatchObject({
      namespace: "runners-dev-platform-trusted",
      runnerGroup: "kiln-dev-platform-trusted",
      buildkit: undefined,
    });
    expect(platform?.trusted.sets.bake).toMatchObject({ mode: "none", minRunners: 0, maxRunners: 2, cache: false });
  });

  it("may be a controller alone, which tenants of other stacks use", () => {
    expect(parse({ controller: { replicas: 2 } }).runners?.tenants).toEqual({});
  });

  it("take a runner group nowhere but where groups are", () => {
    const url = "https://github.com/acme/infra";
    expect(parse(tenant({ url })).runners?.tenants.platform?.trusted.runnerGroup).toBeUndefined();
    const error = refusalOf(tenant({ url, trusted: { ...ZONE, runnerGroup: "iac" } }));
    expect(error.message).toContain("kiln:tenants.platform.trusted.runnerGroup names a runner group");
  });

  it("read quantities that YAML takes for numbers", () => {
    const set = parse(bake({ requests: { cpu: 4, memory: "8Gi" } })).runners?.tenants.platform?.trusted.sets.bake;
    expect(set?.requests).toEqual({ cpu: "4", memory: "8Gi" });
  });
});

describe("credentials", () => {
  it("name the key of an encrypted secret, and never hold it", () => {
    const settings = parse(app({}));
    expect(settings.runners?.tenants.platform?.credentials).toEqual({
      kind: "app",
      appId: "12",
      installationId: "34",
      privateKeyConfig: "kiln:platformAppKey",
    });
    expect(JSON.stringify(settings)).not.toContain("PRIVATE KEY");
  });

  it.each<[string, Raw, RegExp]>([
    ["no id", app({ id: undefined }), /credentials\.app\.id is not set/],
    ["no installation", app({ installationId: "" }), /credentials\.app\.installationId is not set/],
    ["no key", app({ privateKeyConfig: undefined }), /credentials\.app\.privateKeyConfig is not set/],
    ["an id that is none", app({ id: "my app" }), /credentials\.app\.id is no App id/],
    ["a key that is not set", app({ privateKeyConfig: "kiln:other" }), /names a key that is not set in this stack/],
    ["a key that is no PEM", app({}, "not a key"), /privateKeyConfig names kiln:platformAppKey, whose value/],
    ["none at all", tenant({ credentials: {} }), /kiln:tenants\.platform\.credentials is not set/],
    ["two kinds", tenant({ credentials: { secret: "a", token: "b" } }), /names secret and token, but takes one/],
    [
      "an App for an enterprise",
      { ...app({}), ...tenant({ ...app({}).tenants.platform, url: "https://github.com/enterprises/acme" }) },
      /cannot register runners for an enterprise/,
    ],
    ["a vault without its address", tenant({ credentials: { vault: { secret: "s" } } }), /vault\.url is not set/],
  ])("with %s are refused", (_, raw, message) => {
    const error = refusalOf(raw);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^stacks\/Pulumi\.dev\.yaml: kiln:/);
    expect(error.mend).toBeTruthy();
  });

  it("that stand in plain text are refused", () => {
    const credentials = { token: "kiln:plain" };
    expect(refusalOf({ ...tenant({ credentials }), plain: "a-token" }).message).toMatch(
      /kiln:plain.*unencrypted|kiln:plain is not a setting/,
    );
  });

  it.each(["-----BEGIN RSA PRIVATE KEY-----\nMIIE", "ghp_0123456789abcdef0123456789abcdef0123"])(
    "pasted where their key belongs are not repeated: %s",
    (pasted) => {
      const error = refusalOf(tenant({ credentials: { token: pasted } }));
      expect(`${error.message} ${error.mend ?? ""}`).not.toContain(pasted.slice(0, 12));
    },
  );
});

describe("what runners cannot be", () => {
  it.each<[string, Raw, RegExp]>([
    ["max below min", bake({ minRunners: 3 }), /sets\.bake\.minRunners is 3, more than maxRunners, which is 2/],
    ["no maximum", bake({ maxRunners: undefined }), /sets\.bake\.maxRunners is not set/],
    ["a maximum of none", bake({ maxRunners: 0 }), /maxRunners must be a whole number of at least 1/],
    ["no sets", trusted({ sets: {} }), /kiln:tenants\.platform\.trusted\.sets is not set/],
    ["no trusted zone", tenant({ trusted: undefined }), /kiln:tenants\.platform\.trusted is not set/],
    ["a mode that is none", bake({ mode: "docker" }), /mode is "docker", which is none of its values/],
    [
      "a misspelt key",
      bake({ maxRunner: 2 }),
      /kiln:tenants\.platform\.trusted\.sets\.bake\.maxRunner is not a setting/,
    ],
    ["a tenant's name in capitals", { tenants: { Platform: TENANT } }, /kiln:tenants\.Platform has a name/],
    ["a URL that is no GitHub address", tenant({ url: "https://github.com" }), /kiln:tenants\.platform\.url/],
    ["no URL", tenant({ url: undefined }), /kiln:tenants\.platform\.url is not set/],
    ["a cluster without runners", { cluster: { checks: "required" } }, /kiln:cluster is set, but this stack has no/],
    ["a controller of another minor", { controller: { version: "0.13.1" } }, /kiln:controller\.version/],
    ["a controller elsewhere, unnamed", { controller: { manage: false } }, /kiln:controller\.namespace is not set/],
    [
      "a runner image by tag",
      { ...tenant({}), actionsRunner: { image: "r:latest" } },
      /actionsRunner\.image is "r:latest"/,
    ],
    [
      "a release without its day",
      { ...tenant({}), actionsRunner: { version: "2.337.0" } },
      /actionsRunner\.released is not set/,
    ],
    [
      "a day that is none",
      { ...tenant({}), actionsRunner: { version: "2.337.0", released: "2026-02-31" } },
      /actionsRunner\.released is "2026-02-31"/,
    ],
    ["a proxy with a password", tenant({ proxy: { http: { url: "http://u:p@proxy:1" } } }), /holds a password/],
    ["a network that is none", trusted({ network: { apiServer: ["here"] } }), /network\.apiServer\[0\] is "here"/],
  ])("%s is refused with its key", (_, raw, message) => {
    expect(refusalOf(raw).message).toMatch(message);
  });
});

describe("the GitHub side", () => {
  const GITHUB = { owner: "acme", repository: "infra" };

  it("is nothing where the stack says nothing", () => {
    expect(parse({ github: "{}" }).github).toBeUndefined();
  });

  it("has every default filled in", () => {
    expect(parse({ github: GITHUB }).github).toEqual({
      ...GITHUB,
      repositoryIds: [],
      plan: "free",
      visibility: "private",
      environments: {},
      variables: {},
      secrets: {},
      tagRules: undefined,
    });
  });

  it("names secrets by their keys", () => {
    const github = { ...GITHUB, secrets: { RELEASE_KEY: "spare" } };
    expect(parse({ github, spare: "s3cr3t" }).github?.secrets).toEqual({ RELEASE_KEY: "kiln:spare" });
  });

  it.each<[string, Raw, RegExp]>([
    ["a secret that is not set", { ...GITHUB, secrets: { KEY: "other" } }, /kiln:github\.secrets\.KEY names a key/],
    ["a name that GitHub takes for itself", { ...GITHUB, variables: { GITHUB_X: "1" } }, /github\.variables\.GITHUB_X/],
    ["an owner in the repository", { ...GITHUB, repository: "acme/infra" }, /github\.repository is "acme\/infra"/],
    ["a reviewer by name", { ...GITHUB, environments: { prod: { reviewers: { users: ["me"] } } } }, /users\[0\] must/],
  ])("with %s is refused with its key", (_, github, message) => {
    expect(refusalOf({ github }).message).toMatch(message);
  });
});
