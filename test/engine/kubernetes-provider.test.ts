import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClusterProgram } from "../support/cluster-program.ts";
import { demoObjects } from "../support/demo-objects.ts";

let cluster: ClusterProgram;

beforeAll(async () => {
  cluster = await ClusterProgram.start();
});

afterAll(() => cluster.stop());

describe("a stack of objects, one run after the other", () => {
  it("a preview makes nothing", async () => {
    await cluster.write(demoObjects());
    expect(await cluster.planned()).toContain("create deployment");
    expect(await cluster.statusOf("/api/v1/namespaces/demo")).toBe(404);
  });

  it("the first run makes everything, and waits until claims are bound and pods are ready", async () => {
    await cluster.write(demoObjects());
    expect(await cluster.up()).toContain("+ 10 created");
    const claim = await cluster.plane.request("GET", "/api/v1/namespaces/demo/persistentvolumeclaims/claim");
    expect(claim.body.status).toMatchObject({ phase: "Bound" });
    const deployment = await cluster.plane.request("GET", "/apis/apps/v1/namespaces/demo/deployments/deployment");
    expect(deployment.body.status).toMatchObject({ availableReplicas: 2 });
  });

  it("the second changes nothing", async () => {
    expect(await cluster.up()).toContain("10 unchanged");
    await cluster.succeeds("preview", "--expect-no-changes");
  });

  it("no secret is in the state, as text or as base64", async () => {
    const stored = await cluster.stored();
    expect(stored).toContain("deployment");
    expect(stored).not.toContain("a-very-secret-token");
    expect(stored).not.toContain(Buffer.from("a-very-secret-token").toString("base64"));
  });

  it("a change of a field changes that object in place", async () => {
    await cluster.write(demoObjects({ replicas: 1, size: 2 }));
    expect(await cluster.planned()).toEqual(["update deployment", "update thing"]);
    expect(await cluster.up()).toMatch(/~ 2 updated[\s\S]*8 unchanged/);
    const { body } = await cluster.plane.request("GET", "/apis/apps/v1/namespaces/demo/deployments/deployment");
    expect(body.spec).toMatchObject({ replicas: 1 });
  });

  it("a field that cannot change makes a new object, the old one gone before", async () => {
    const before = await cluster.plane.request("GET", "/apis/apps/v1/namespaces/demo/deployments/deployment");
    await cluster.write(demoObjects({ replicas: 1, size: 2, selector: { app: "other" } }));
    expect(await cluster.planned()).toEqual(["replace deployment"]);
    expect(await cluster.up()).toContain("+-1 replaced");
    const after = await cluster.plane.request("GET", "/apis/apps/v1/namespaces/demo/deployments/deployment");
    expect(after.body.metadata).not.toMatchObject({ uid: (before.body.metadata as { uid: string }).uid });
  });

  it("ConfigMaps are replaced, unless the provider may change them", async () => {
    const changed = demoObjects({ replicas: 1, size: 2, text: "two", selector: { app: "other" } });
    await cluster.write(changed);
    expect(await cluster.planned()).toEqual(["replace config"]);
    await cluster.write(changed, { enableConfigMapMutable: true });
    expect(await cluster.planned()).toEqual(["update cluster", "update config"]);
    await cluster.up();
  });

  it("a refresh finds what others changed; who manages a field keeps it, unless it is taken over by force", async () => {
    const thing = "/apis/example.com/v1/namespaces/demo/things/thing";
    const resize = (size: number) =>
      cluster.plane.request("PATCH", thing, { spec: { size } }, { contentType: "application/merge-patch+json" });
    await resize(3);
    const refresh = ["refresh", "--yes", "--skip-preview"];
    expect(await cluster.succeeds(...refresh)).toContain("~ 1 updated");
    expect(await cluster.planned()).toEqual(["update thing"]);
    expect(await cluster.fails("up", "--yes", "--skip-preview")).toContain('pulumi.com/patchForce: "true"');
    await resize(2);
    await cluster.succeeds(...refresh);
    expect(await cluster.planned()).toEqual([]);
  });

  it("the end leaves nothing", async () => {
    await cluster.destroy();
    expect(await cluster.statusOf("/api/v1/namespaces/demo")).toBe(404);
    expect(await cluster.statusOf("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com")).toBe(
      404,
    );
    expect(await cluster.statusOf("/apis/storage.k8s.io/v1/storageclasses/demo")).toBe(404);
  });
});
