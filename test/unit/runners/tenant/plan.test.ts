import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { planTenant } from "../../../../runners/tenant/plan.ts";
import { parseSettings } from "../../../../settings.ts";

const CONTEXT = { stack: "dev", goVersion: "1.26.8", arch: "amd64" } as const;

type Raw = Readonly<Record<string, unknown>>;

/** The plan of a tenant whose zones are these, in the words of a stack file. */
function plan(trusted: Raw, untrusted?: Raw, context: Partial<Parameters<typeof planTenant>[1]> = {}) {
  const tenant = { url: "https://github.com/acme", credentials: { secret: "github-app" }, trusted, untrusted };
  const { runners } = parseSettings("dev", { registry: "localhost:5180", tenants: { platform: tenant } });
  const platform = runners?.tenants.platform;
  if (platform === undefined) throw new Error("no tenant was read");
  return planTenant(platform, { ...CONTEXT, ...context });
}

/** Namespaces, and below them scale sets with their bounds and caches. */
function outline(...zones: Parameters<typeof plan>) {
  return plan(...zones).namespaces.map(({ key, name, podSecurity, sets }) => ({
    [`${key} ${name} ${podSecurity}`]: sets.map(
      ({ name: set, minRunners, maxRunners, attachment }) =>
        `${set} ${minRunners}-${maxRunners} ${attachment?.key ?? "no cache"}`,
    ),
  }));
}

const LANES = { mode: "lane", lanes: 3, size: "50Gi" };

describe("planTenant", () => {
  it("makes a scale set of one runner for each lane, and idles as many runners as were asked for", () => {
    const sets = { bake: { maxRunners: 3, minRunners: 2, cache: true } };
    expect(outline({ cache: LANES, sets })).toEqual([
      {
        "trusted runners-dev-platform-trusted restricted": [
          "dev-platform-bake-lane-0 1-1 lane-0",
          "dev-platform-bake-lane-1 1-1 lane-1",
          "dev-platform-bake-lane-2 0-1 lane-2",
        ],
      },
    ]);
  });

  it("keeps a privileged Docker daemon in a namespace of its own, and each zone apart", () => {
    const assemble = { mode: "dind", maxRunners: 1 };
    const network = { apiServer: ["10.0.0.1/32"] };
    const trusted = {
      network,
      sets: { bake: { maxRunners: 2 }, assemble, pods: { mode: "kubernetes-novolume", maxRunners: 1 } },
    };
    const untrusted = { sets: { check: { maxRunners: 4 }, try: { ...assemble, nodeSelector: { pool: "strangers" } } } };
    expect(outline(trusted, untrusted)).toEqual([
      { "trusted runners-dev-platform-trusted restricted": ["dev-platform-bake 0-2 no cache"] },
      { "trusted-dind runners-dev-platform-trusted-dind privileged": ["dev-platform-assemble 0-1 no cache"] },
      { "trusted-kubernetes runners-dev-platform-trusted-kubernetes baseline": ["dev-platform-pods 0-1 no cache"] },
      { "untrusted runners-dev-platform-untrusted restricted": ["dev-platform-check 0-4 no cache"] },
      { "untrusted-dind runners-dev-platform-untrusted-dind privileged": ["dev-platform-try 0-1 no cache"] },
    ]);
  });

  it("moves no set to another namespace when a set of another mode comes", () => {
    const bake = { bake: { maxRunners: 2 } };
    const [alone] = outline({ sets: bake });
    expect(outline({ sets: { assemble: { mode: "dind", maxRunners: 1 }, ...bake } })).toContainEqual(alone);
  });

  it("lets several kinds of runner share the volume of a node", () => {
    const cache = { mode: "node", node: "big", size: "50Gi" };
    const sets = { bake: { maxRunners: 2, cache: true }, test: { maxRunners: 3, cache: true } };
    expect(outline({ cache, sets })).toEqual([
      {
        "trusted runners-dev-platform-trusted restricted": [
          "dev-platform-bake 0-2 shared",
          "dev-platform-test 0-3 shared",
        ],
      },
    ]);
  });

  it("keys a cache by Go version and architecture", () => {
    const sets = { bake: { maxRunners: 3, cache: true } };
    const [namespace] = plan({ cache: LANES, sets }, undefined, { arch: "arm64", goVersion: "1.27.0" }).namespaces;
    expect(namespace?.cache?.cacheKey).toBe("go1.27.0-linux-arm64");
    expect(namespace?.cache?.claims.map(({ name }) => name)).toEqual([
      "dev-platform-trusted-lane-0",
      "dev-platform-trusted-lane-1",
      "dev-platform-trusted-lane-2",
    ]);
  });

  it.each<[string, Parameters<typeof plan>, RegExp]>([
    [
      "a cache that is not there",
      [{ sets: { bake: { maxRunners: 1, cache: true } } }],
      /sets\.bake\.cache is true, but/,
    ],
    [
      "two kinds on lanes of one runner",
      [{ cache: LANES, sets: { a: { maxRunners: 3, cache: true }, b: { maxRunners: 3, cache: true } } }],
      /sets\.b\.cache: a lane has one runner/,
    ],
    [
      "one volume in two namespaces",
      [
        {
          cache: { mode: "node", node: "big", size: "50Gi" },
          sets: { a: { maxRunners: 3, cache: true }, b: { mode: "dind", maxRunners: 3, cache: true } },
        },
      ],
      /a volume belongs to one namespace/,
    ],
    [
      "a writable volume for pull requests",
      [
        { sets: { bake: { maxRunners: 1 } } },
        { cache: { ...LANES, lanes: 1 }, sets: { check: { maxRunners: 1, cache: true } } },
      ],
      /kiln:tenants\.platform\.untrusted\.cache/,
    ],
    [
      "a network file system under the build cache",
      [
        { cache: { ...LANES, storageClass: "shared" }, sets: { bake: { maxRunners: 3, cache: true } } },
        undefined,
        { provisionerOf: () => "efs.csi.aws.com" },
      ],
      /kiln:tenants\.platform\.trusted\.cache/,
    ],
    [
      "job hooks that cannot reach the API server",
      [{ sets: { pods: { mode: "kubernetes-novolume", maxRunners: 1 } } }],
      /sets\.pods\.mode is kubernetes-novolume, whose job hooks talk to the API server/,
    ],
    [
      "job hooks of strangers beside the App's key",
      [
        { sets: { bake: { maxRunners: 1 } } },
        { network: { apiServer: ["10.0.0.1/32"] }, sets: { pods: { mode: "kubernetes-novolume", maxRunners: 1 } } },
      ],
      /untrusted\.sets\.pods\.mode is kubernetes-novolume in an untrusted zone: its job hooks may read every Secret/,
    ],
    [
      "strangers who can become root on anybody's node",
      [{ sets: { bake: { maxRunners: 1 } } }, { sets: { try: { mode: "dind", maxRunners: 1 } } }],
      /untrusted\.sets\.try\.mode is dind in an untrusted zone: a job there can become root on its node/,
    ],
    [
      "one name in two zones",
      [{ sets: { bake: { maxRunners: 1 } } }, { sets: { bake: { maxRunners: 1 } } }],
      /two scale sets named "dev-platform-bake"/,
    ],
    ["a name that is too long", [{ sets: { [`a${"b".repeat(40)}`]: { maxRunners: 1 } } }], /at most 45 fit/],
  ])("refuses %s", (_, zones, message) => {
    expect(() => plan(...zones)).toThrow(KilnError);
    expect(() => plan(...zones)).toThrow(message);
  });
});
