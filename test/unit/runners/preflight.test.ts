import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { CRD_KINDS, crdFile, type CrdPlural } from "../../../runners/controller/crd-pins.ts";
import { preflight, type PreflightOptions } from "../../../runners/preflight.ts";
import { FILE, settingsOf, tenantOf, type Raw } from "../../support/runner-settings.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { permissive } from "../../support/test-crds.ts";

const NOW = new Date("2026-09-30T12:00:00Z");
const LANES = { mode: "lane", lanes: 2, size: "50Gi", storageClass: "fast" };
const CACHED = { cache: LANES, sets: { bake: { maxRunners: 2, cache: true }, image: { mode: "dind", maxRunners: 1 } } };

let directory: string;
let crds: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  crds = path.join(directory, "crds");
  // Small ones: what a preflight does with the real ones, crds.test.ts has.
  await mkdir(crds);
  for (const [plural, kind] of Object.entries(CRD_KINDS) as [CrdPlural, string][]) {
    await writeFile(path.join(crds, crdFile(plural)), permissive(plural, kind));
  }
  vi.stubEnv("KUBECONFIG", path.join(directory, "none"));
  vi.stubEnv("KILN_CACHE_DIR", path.join(directory, "cache"));
});

/** The preflight of a stack with CRDs at hand and tenant `a`, whose settings are changed by `raw`. */
function flight(raw: Raw = {}, options: Partial<PreflightOptions> = {}) {
  const settings = settingsOf({ controller: { crds }, tenants: { a: tenantOf({ trusted: CACHED }) }, ...raw });
  const recordedRelease = () => Promise.resolve(undefined);
  const env = { PULUMI_CONFIG_PASSPHRASE: "of some length" };
  return preflight(settings, { preview: true, goVersion: "1.26.8", now: NOW, recordedRelease, env, ...options });
}

/** A cluster with one storage class, whose user may do everything; and the paths that it was asked for. */
async function cluster(provisioner: string): Promise<readonly string[]> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { url = "" } = request;
    asked.push(url);
    if (url.endsWith("/selfsubjectaccessreviews")) {
      response.writeHead(201).end(JSON.stringify({ status: { allowed: true } }));
    } else if (url.endsWith("/storageclasses")) {
      response.writeHead(200).end(JSON.stringify({ items: [{ metadata: { name: "fast" }, provisioner }] }));
    } else {
      response.writeHead(404).end("{}");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = path.join(directory, "kubeconfig");
  await writeFile(
    file,
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server: address, "insecure-skip-tls-verify": true } }],
      users: [{ name: "ci", user: { token: "t" } }],
      contexts: [{ name: "dev", context: { cluster: "c", user: "ci" } }],
      "current-context": "dev",
    }),
  );
  vi.stubEnv("KUBECONFIG", file);
  return asked;
}

describe("a stack's runners before anything is made", () => {
  it("are nothing where it has none", async () => {
    expect(await flight({ controller: undefined, tenants: undefined })).toBeUndefined();
  });

  it("are planned, tenant by tenant, with the CRDs of their controller", async () => {
    const known = await flight({ tenants: { a: tenantOf({ trusted: CACHED }), b: tenantOf() } });
    expect(Object.entries(known?.plans ?? {}).map(([name, { namespaces }]) => [name, namespaces.length])).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
    expect(known?.plans.a?.namespaces[0]?.cache?.cacheKey).toBe("go1.26.8-linux-amd64");
    expect(known?.crds?.map(({ metadata }) => metadata.name)).toEqual([
      "autoscalinglisteners.actions.github.com",
      "autoscalingrunnersets.actions.github.com",
      "ephemeralrunners.actions.github.com",
      "ephemeralrunnersets.actions.github.com",
    ]);
  });

  it("have the architecture of the image that they run", async () => {
    const actionsRunner = { tools: "localhost:5180/kiln/tools:arm64" };
    const known = await flight({ image: { platform: "linux/arm64" }, actionsRunner });
    expect(known?.arch).toBe("arm64");
    expect(known?.plans.a?.namespaces[0]?.cache?.cacheKey).toBe("go1.26.8-linux-arm64");
    expect(known?.plans.a?.namespaces[0]?.nodes.nodeSelector).toEqual({ "kubernetes.io/arch": "arm64" });
  });

  it("bring a warning of what is allowed, but has a price", async () => {
    const token = tenantOf({ credentials: { token: "kiln:token" }, trusted: CACHED });
    const known = await flight({
      cluster: { context: "dev" },
      tenants: { a: token, b: tenantOf() },
      actionsRunner: { version: "2.337.0", released: "2026-09-05" },
    });
    expect(known?.warnings).toEqual([
      expect.stringContaining(`${FILE}: kiln:actionsRunner`),
      expect.stringContaining("is served with a personal token"),
      expect.stringContaining("no scale set of b has Docker"),
    ]);
  });

  it("bring a warning of what is left to whoever runs Pulumi: the cluster, and the passphrase", async () => {
    const open = await flight({}, { env: { PULUMI_CONFIG_PASSPHRASE: "" } });
    expect(open?.warnings).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`${FILE}: kiln:cluster.context is not set`),
        expect.stringContaining(`${FILE}: its secrets are encrypted with the empty passphrase`),
      ]),
    );
    const named = { cluster: { context: "dev" } };
    const kept = [await flight(named), await flight(named, { env: {} })];
    const existing = { a: tenantOf({ credentials: { secret: "github-app" }, trusted: CACHED }) };
    kept.push(await flight({ ...named, tenants: existing }, { env: { PULUMI_CONFIG_PASSPHRASE: "" } }));
    for (const flown of kept) expect(flown?.warnings.join()).not.toMatch(/kiln:cluster\.context|passphrase/);
  });

  it("have the release that their image records, unless the stack says one", async () => {
    const image = `localhost:5180/actions-runner@sha256:${"a".repeat(64)}`;
    const asked: string[] = [];
    const recordedRelease = (of: string) => {
      asked.push(of);
      return Promise.resolve({ version: "2.336.0", released: "2026-08-01" });
    };
    await expect(flight({ actionsRunner: { image } }, { recordedRelease })).rejects.toThrow("2.336.0");
    expect(asked).toEqual([image]);
    const said = { image, version: "2.337.0", released: "2026-09-29" };
    await expect(flight({ actionsRunner: said }, { recordedRelease })).resolves.toBeDefined();
    await flight({}, { recordedRelease });
    expect(asked).toEqual([image]);
  });

  it("stop at a runner that GitHub would refuse", async () => {
    const old = { actionsRunner: { version: "2.336.0", released: "2026-08-01" } };
    await expect(flight(old)).rejects.toMatchObject({ kind: "usage" });
    await expect(flight(old)).rejects.toThrow(`${FILE}: kiln:actionsRunner`);
  });
});

describe("what the stack says alone", () => {
  it.each<[string, Raw, string]>([
    [
      "a plan that cannot be",
      { tenants: { a: tenantOf({ trusted: { sets: { bake: { maxRunners: 1, cache: true } } } }) } },
      "kiln:tenants.a.trusted.sets.bake.cache is true, but the zone has no cache",
    ],
    [
      "plans that do not go together",
      { tenants: { a: tenantOf(), b: tenantOf({ trusted: { ...CACHED, namespace: "runners-dev-a-trusted" } }) } },
      'kiln:tenants.b.trusted has the namespace "runners-dev-a-trusted"',
    ],
    [
      "scale sets that nobody watches",
      { controller: { watchNamespace: "runners-dev-a-trusted" } },
      "kiln:controller.watchNamespace is",
    ],
  ])("is refused before a cluster is asked: %s", async (_, raw, message) => {
    const asked = await cluster("ebs.csi.aws.com");
    const controller = { crds, ...(raw.controller as Raw | undefined) };
    await expect(flight({ ...raw, controller })).rejects.toThrow(`${FILE}: ${message}`);
    expect(asked).toEqual([]);
  });
});

describe("the cluster", () => {
  it("is left out, with a note, where it is out of reach", async () => {
    const known = await flight();
    expect(known?.notes).toEqual([
      `skipped: the checks against the cluster, because the kubeconfig ${path.join(directory, "none")} does not exist`,
    ]);
  });

  it("stops the preview where it has to be asked", async () => {
    await expect(flight({ cluster: { checks: "required" } })).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("is the context that the stack names", async () => {
    await cluster("ebs.csi.aws.com");
    const known = await flight({ cluster: { context: "prod" } });
    expect(known?.notes).toEqual([expect.stringContaining("the kubeconfig has no context prod, but dev")]);
  });

  it("is named, with the context that led there: it might be another one", async () => {
    await cluster("ebs.csi.aws.com");
    const notes = async (raw: Raw) => (await flight(raw))?.notes;
    expect(await notes({})).toEqual([
      expect.stringMatching(/^this plan is for the cluster http:\/\/127\.0\.0\.1:\d+, by the current context/),
    ]);
    expect(await notes({ cluster: { context: "dev" } })).toEqual([expect.stringMatching(/, by the context dev$/)]);
  });

  it("tells what a storage class is, by which a cache is refused", async () => {
    await cluster("ebs.csi.aws.com");
    await expect(flight()).resolves.toMatchObject({ notes: [expect.stringContaining("this plan is for the cluster")] });
    await cluster("efs.csi.aws.com");
    await expect(flight()).rejects.toThrow(
      `${FILE}: kiln:tenants.a.trusted.cache.storageClass is "fast", which makes network file systems`,
    );
  });

  it("is told of a class that it does not have", async () => {
    await cluster("ebs.csi.aws.com");
    const tenants = { a: tenantOf({ trusted: { ...CACHED, cache: { ...LANES, storageClass: "slow" } } }) };
    await expect(flight({ tenants })).rejects.toThrow('cache.storageClass is "slow", which is no storage class');
  });
});

describe("CRDs", () => {
  const OFFICIAL = { controller: { crds: "official" } };

  function withoutNetwork(): void {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
  }

  it("that cannot be had are left out of a preview, with a note", async () => {
    withoutNetwork();
    const known = await flight(OFFICIAL);
    expect(known?.crds).toBeUndefined();
    expect(known?.notes.at(-1)).toMatch(/^skipped: what the CRDs hold, because the CRDs of actions-runner-controller/);
  });

  it("that cannot be had stop an update", async () => {
    withoutNetwork();
    await expect(flight(OFFICIAL, { preview: false })).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("that are not where the stack says stop a preview too", async () => {
    await expect(flight({ controller: { crds: path.join(directory, "elsewhere") } })).rejects.toMatchObject({
      kind: "usage",
    });
  });

  it("are not asked for where another stack has the controller", async () => {
    withoutNetwork();
    const controller = { manage: false, namespace: "arc", serviceAccount: "arc", version: "0.14.2" };
    const known = await flight({ controller }, { preview: false });
    expect(known?.crds).toBeUndefined();
    expect(known?.notes).toHaveLength(1);
  });
});
