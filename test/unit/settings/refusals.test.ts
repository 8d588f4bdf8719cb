import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../errors.ts";
import { parseSettings, type Settings } from "../../../settings.ts";
import { APP, FILE, SECRETS, STACK, type Raw } from "../../support/runner-settings.ts";

const ZONE = {
  namespace: "ci",
  runnerGroup: "iac",
  workflow: "acme/infra/.github/workflows/image.yml@refs/heads/main",
  cache: {
    ...{ mode: "lane", size: "50Gi", storageClass: "fast", accessMode: "ReadWriteOncePod", lanes: 2 },
    ...{ retention: "retain", protect: true, garbageCollection: { budget: "40Gi", minimumAgeHours: 12 } },
  },
  sets: {
    bake: {
      ...{ mode: "none", minRunners: 1, maxRunners: 2, cache: true, labels: ["iac"], spot: true },
      ...{ requests: { cpu: 2 }, limits: { memory: "4Gi" }, nodeSelector: { "node.kubernetes.io/pool": "ci" } },
      tolerations: [{ key: "ci", operator: "Equal", value: "only", effect: "NoSchedule" }],
      ...{ priorityClass: "ci", runtimeClass: "kata", workVolume: { size: "20Gi", storageClass: "fast" } },
    },
  },
  network: {
    ...{ ssh: true, clusterNetworks: ["100.64.0.0/10"], apiServer: ["10.0.0.1/32"] },
    services: { goproxy: { namespace: "athens", podLabels: { app: "athens" }, port: 3000 } },
    networks: { ghes: { blocks: ["10.9.0.0/16"], ports: [443] } },
  },
  quota: { "limits.cpu": 40 },
  buildkit: { image: "buildkit:v1", size: "20Gi", storageClass: "fast" },
};

/** A stack that says everything there is to say of runners and GitHub. */
const WHOLE = {
  registry: "ghcr.io/acme/infra",
  cluster: {
    ...{ context: "dev", checks: "required", monitoring: "prometheus-operator" },
    monitorLabels: { "app.kubernetes.io/part-of": "monitoring" },
  },
  controller: {
    ...{ manage: true, namespace: "arc", serviceAccount: "arc", version: "0.14.1", replicas: 2 },
    ...{ watchNamespace: "ci", crds: "crds", retainCrds: true, protect: true },
  },
  actionsRunner: {
    image: `ghcr.io/acme/runner@sha256:${"a".repeat(64)}`,
    ...{ base: "runner:1", version: "2.337.0", released: "2026-09-15" },
  },
  tenants: {
    platform: {
      url: "https://github.com/acme",
      credentials: APP,
      proxy: { http: { url: "http://a:1", credentialSecretRef: "p" }, https: { url: "http://b:2" }, noProxy: ["c"] },
      certificateAuthority: { configMap: "ghes", key: "ca.crt" },
      imagePullSecrets: ["pull"],
      rebuild: { repositoryUrl: "https://github.com/acme/infra", workflow: "image.yml" },
      trusted: ZONE,
      untrusted: { sets: { check: { maxRunners: 4 } } },
    },
    other: { url: "https://github.com/enterprises/acme", credentials: { token: "kiln:token" }, trusted: ZONE },
    third: {
      url: "https://github.com/third",
      credentials: {
        vault: { secret: "s", url: "https://v", tenantId: "t", clientId: "c", certificatePath: "/certificate" },
      },
      trusted: ZONE,
    },
  },
  github: {
    ...{ owner: "acme", repository: "infra", repositoryIds: [42], plan: "enterprise", visibility: "internal" },
    environments: {
      prod: {
        ...{ reviewers: { teams: [7], users: [8] }, waitMinutes: 5, branches: ["main"] },
        ...{ variables: { STACK: "prod" }, secrets: { KEY: "kiln:token" } },
      },
    },
    ...{ variables: { STACK: "dev" }, secrets: { KEY: "token" }, tagRules: { releaseAppId: 99 } },
  },
} as const satisfies Raw;

type Segment = string | number;

/** Every place of a value, itself not among them. */
function placesOf(value: unknown, before: readonly Segment[] = []): readonly (readonly Segment[])[] {
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([name, inner]) => [[...before, name], ...placesOf(inner, [...before, name])]);
}

/** A place as a refusal writes it. */
function keyPath([first = "", ...others]: readonly Segment[]): string {
  return `kiln:${first}${others.map((one) => (typeof one === "number" ? `[${one}]` : `.${one}`)).join("")}`;
}

/** A copy with another value in one place; without the place where that is undefined. */
function changed(value: unknown, [first, ...others]: readonly Segment[], to: unknown): unknown {
  if (first === undefined) return to;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (index === first ? changed(item, others, to) : item));
  }
  const { [first]: inner, ...rest } = value as Record<string, unknown>;
  const own = changed(inner, others, to);
  return own === undefined ? rest : { ...rest, [first]: own };
}

function parse(raw: Raw, secrets: Raw = SECRETS): Settings | KilnError {
  try {
    return parseSettings(STACK, { ...raw, ...secrets }, (key) => Object.keys(secrets).includes(key.slice(5)));
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
}

/** The configuration as Pulumi hands it to a program: texts, some of them JSON. */
function asTexts(raw: Raw): Raw {
  const texts = Object.entries(raw).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(texts) as Raw;
}

function textOf({ message, mend = "" }: KilnError): string {
  return `${message} ${mend}`;
}

const PLACES = placesOf(WHOLE);
const place = fc.constantFrom(...PLACES);
/** Where people put a secret by mistake: all that is about signing in, and addresses with a password. */
const TEMPTING = new Set<Segment>(["credentials", "secrets", "proxy"]);
const tempting = fc.constantFrom(...PLACES.filter((one) => one.some((name) => TEMPTING.has(name))));
const junk = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, false, "", " ", "x y", "UPPER", "-", "a/b", "[", "null"),
  fc.constantFrom<unknown>([], {}, [null], [""], [{}], { stray: 1 }, { "": 1 }, [[]], { a: { b: "c" } }),
  fc.integer(),
  fc.double(),
  fc.string(),
);
const secret = fc.stringMatching(/^[A-Za-z0-9+/]{12,40}$/).map((text) => `s3cr3t${text}`);

describe("a stack that says everything", () => {
  it("is taken, as a stack file has it and as Pulumi hands it over", () => {
    expect(parse(WHOLE)).not.toBeInstanceOf(KilnError);
    expect(parse(asTexts(WHOLE))).toEqual(parse(WHOLE));
  });

  it("is frozen, and holds no secret", () => {
    const settings = parse(WHOLE);
    const open = placesOf(settings).filter((path) => {
      const value = path.reduce<unknown>((inner, name) => (inner as Record<Segment, unknown>)[name], settings);
      return typeof value === "object" && value !== null && !Object.isFrozen(value);
    });
    // What other rooms parse is theirs.
    const own = open.map((path) => path.join(".")).filter((path) => !/\.url$|\.crds$/.test(path));
    expect(own).toEqual([]);
    for (const value of Object.values(SECRETS)) expect(JSON.stringify(settings)).not.toContain(value);
  });
});

describe("whatever stands in any place", () => {
  it("is taken, or refused with the file and a key path that is there", () => {
    fc.assert(
      fc.property(place, junk, (path, value) => {
        const raw = changed(WHOLE, path, value) as Raw;
        const error = parse(raw);
        fc.pre(error instanceof KilnError);
        expect(error.kind).toBe("usage");
        expect(error.message.startsWith(`${FILE}: kiln:`)).toBe(true);
        const rest = error.message.slice(`${FILE}: `.length);
        const there = placesOf(raw).map(keyPath);
        const named = there.some((one) => rest.startsWith(`${one} `));
        // What is missing has a place where it belongs.
        const missing = /^(kiln:\S*?)\.?([A-Za-z]+) is not set/.exec(rest)?.[1] ?? "";
        expect({ rest, found: named || missing === "kiln:" || there.includes(missing) }).toEqual({ rest, found: true });
      }),
      { numRuns: 1_500 },
    );
  }, 30_000);

  it("is read alike from a stack file and from Pulumi's texts", () => {
    fc.assert(
      fc.property(place, junk, (path, value) => {
        // A text and the value it is the JSON of are one to Pulumi, and so are null and nothing.
        fc.pre(path.length > 1 && value !== undefined && typeof value !== "number");
        const raw = changed(WHOLE, path, value) as Raw;
        const [file, texts] = [parse(raw), parse(asTexts(raw))];
        if (file instanceof KilnError) expect(texts).toMatchObject({ message: file.message, mend: file.mend });
        else expect(texts).toEqual(file);
      }),
      { numRuns: 1_000 },
    );
  }, 30_000);
});

describe("a secret", () => {
  it("is repeated by no refusal, whatever else is wrong", () => {
    fc.assert(
      fc.property(place, junk, secret, secret, (path, value, appKey, token) => {
        // The key of the App is none that can sign: nearly all is refused, for one reason or another.
        const read = parse(changed(WHOLE, path, value) as Raw, { appKey, token });
        const said = read instanceof KilnError ? textOf(read) : JSON.stringify(read);
        for (const text of [appKey, token]) expect(said).not.toContain(text);
      }),
      { numRuns: 1_000 },
    );
  }, 30_000);

  it("that was put where its key belongs, or beside, is not repeated either", () => {
    const pasted = fc
      .tuple(secret, fc.constantFrom("text", "list", "map", "address", "unfinished"))
      .map(([text, kind]) => {
        const value = {
          ...{ text, list: [text], map: { value: text } },
          ...{ address: `http://user:${text}@proxy:3128`, unfinished: `-----BEGIN RSA PRIVATE KEY-----\n${text}` },
        }[kind];
        return { text, value };
      });
    fc.assert(
      fc.property(tempting, pasted, (path, { text, value }) => {
        const error = parse(changed(WHOLE, path, value) as Raw);
        fc.pre(error instanceof KilnError);
        expect(textOf(error)).not.toContain(text);
      }),
      { numRuns: 1_000 },
    );
  }, 30_000);

  it("of digits alone is not repeated as a number", () => {
    fc.assert(
      fc.property(tempting, fc.integer({ min: 100_000_000_000, max: 999_999_999_999 }), (path, pin) => {
        const error = parse(changed(WHOLE, path, pin) as Raw);
        fc.pre(error instanceof KilnError);
        expect(textOf(error)).not.toContain(String(pin));
      }),
    );
  });
});
