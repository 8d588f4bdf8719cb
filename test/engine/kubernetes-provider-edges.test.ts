import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClusterProgram } from "../support/cluster-program.ts";

let cluster: ClusterProgram;

beforeAll(async () => {
  cluster = await ClusterProgram.start();
});

afterAll(() => cluster.stop());

const LABELS = { app: "demo" };

describe("what the API server refuses", () => {
  const deployment = (spec: object) => ({
    name: "deployment",
    object: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "wrong", namespace: "default" }, spec },
  });
  const pod = { metadata: { labels: LABELS }, spec: { containers: [{ name: "c", image: "i" }] } };

  it.each([
    ["an invalid value", { replicas: -1, selector: { matchLabels: LABELS }, template: pod }, "spec.replicas"],
    ["a missing field", { template: pod }, "spec.selector: Required value"],
    [
      "a misspelt field",
      { replica: 1, selector: { matchLabels: LABELS }, template: pod },
      ".spec.replica: field not declared",
    ],
  ])("%s fails at preview with its path", async (_, spec, path) => {
    await cluster.write([deployment(spec)]);
    expect(await cluster.fails("preview")).toContain(path);
  });

  it("a kind that neither the cluster nor the stack defines fails at preview", async () => {
    const object = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "x", namespace: "default" } };
    await cluster.write([{ name: "thing", object }]);
    expect(await cluster.fails("preview")).toContain("the cluster has no kind Thing in example.com/v1");
  });

  it("a namespace that neither the cluster nor the stack has fails at preview", async () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "nowhere" } };
    await cluster.write([{ name: "config", object }]);
    expect(await cluster.fails("preview")).toContain('namespaces "nowhere" not found');
  });

  it("what RBAC forbids fails at preview, without the secret that was given", async () => {
    const object = {
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "x", namespace: "default" } },
      stringData: { token: "a-very-secret-token" },
    };
    await cluster.write([{ name: "secret", object }], { kubeconfig: await cluster.plane.kubeconfigFor("stranger") });
    const said = await cluster.fails("preview");
    expect(said).toContain('secrets "x" is forbidden: User "stranger" cannot patch resource "secrets"');
    expect(said).not.toContain("a-very-secret-token");
  });
});

describe("what the API server accepts", () => {
  it("is only rehearsed by a preview", async () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "rehearsed", namespace: "default" } };
    await cluster.write([{ name: "config", object }]);
    const printed = await cluster.succeeds("preview");
    expect(printed).toContain("+ 3 to create");
    expect(printed).not.toContain("not checked");
    expect(await cluster.statusOf("/api/v1/namespaces/default/configmaps/rehearsed")).toBe(404);
  });
});

describe("an object that is in the cluster already, and not in the stack", () => {
  const path = "/api/v1/namespaces/default/configmaps/there";
  const there = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "there", namespace: "default" } };
  const mine = [{ name: "there", object: { ...there, data: { by: "the stack" } } }];

  it("is not touched", async () => {
    await cluster.plane.request("POST", "/api/v1/namespaces/default/configmaps", { ...there, data: { by: "hand" } });
    await cluster.write(mine);
    expect(await cluster.fails("up", "--yes", "--skip-preview")).toContain(
      "ConfigMap default/there is in the cluster already, and not in this stack: import it with `pulumi import`",
    );
    expect((await cluster.plane.request("GET", path)).body.data).toEqual({ by: "hand" });
    expect(await cluster.stored()).not.toContain("the stack");
  });

  it("is taken over where the provider may, changed like any other from then on, and goes with the stack", async () => {
    const upserts = { upsertExistingObjects: true, enableConfigMapMutable: true };
    const forced = { ...there.metadata, annotations: { "pulumi.com/patchForce": "true" } };
    const write = (by: string) =>
      cluster.write([{ name: "there", object: { ...there, metadata: forced, data: { by } } }], upserts);
    await write("the stack");
    expect(await cluster.up()).toContain("created");
    expect((await cluster.plane.request("GET", path)).body.data).toEqual({ by: "the stack" });
    await write("the stack again");
    expect(await cluster.planned()).toEqual(["update there"]);
    await cluster.up();
    await cluster.destroy();
    expect(await cluster.statusOf(path)).toBe(404);
  });
});

describe("without a cluster", () => {
  const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { a: "b" } };

  it.each([
    ["no kubeconfig", undefined, "no kubeconfig"],
    ["an API server that is not there", "https://127.0.0.1:1", "https://127.0.0.1:1 cannot be reached"],
  ])("%s: previews work, and say once that nothing was checked", async (_, server, reason) => {
    const clusters = [{ name: "x", cluster: { server } }];
    const contexts = [{ name: "x", context: { cluster: "x", user: "x", namespace: "elsewhere" } }];
    const kubeconfig = JSON.stringify({ clusters, contexts, users: [{ name: "x", user: {} }], "current-context": "x" });
    const many = ["a", "b"].map((name) => ({ name, object: config }));
    await cluster.write(many, { kubeconfig: server === undefined ? undefined : kubeconfig });
    const { code, stdout } = await cluster.pulumi("preview");
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("+ 4 to create");
    expect(stdout.split("\nDiagnostics:\n")[1]?.split("No cluster checked this plan")).toHaveLength(2);
    expect(stdout).toContain(reason);
  });
});

describe("deletion", () => {
  it("that a finalizer holds ends with its name when the time is over", async () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "held", namespace: "default" } };
    const held = { ...object, metadata: { ...object.metadata, finalizers: ["example.com/held"] } };
    await cluster.write([{ name: "held", object: held, options: { customTimeouts: { delete: "2s" } } }]);
    await cluster.up();
    expect(await cluster.fails("destroy", "--yes", "--skip-preview")).toContain(
      "ConfigMap default/held is still there 2 s after its deletion: held by example.com/held",
    );
    const path = "/api/v1/namespaces/default/configmaps/held";
    const patch = { contentType: "application/merge-patch+json" };
    await cluster.plane.request("PATCH", path, { metadata: { finalizers: null } }, patch);
    await cluster.destroy();
    expect(await cluster.statusOf(path)).toBe(404);
  });
});

describe("resource options", () => {
  const config = (value: string, options: object) => ({
    name: "config",
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "options", namespace: "default" },
      data: { value },
    },
    options: { ...options },
  });
  const mutable = { enableConfigMapMutable: true };

  it("ignoreChanges and replaceOnChanges mean single fields", async () => {
    await cluster.write([config("one", {})], mutable);
    await cluster.up();
    await cluster.write([config("two", { ignoreChanges: ["data.value"] })], mutable);
    expect(await cluster.planned()).toEqual([]);
    await cluster.write([config("two", { replaceOnChanges: ["data.value"], deleteBeforeReplace: true })], mutable);
    expect(await cluster.planned()).toEqual(["replace config"]);
    await cluster.write([config("two", {})], mutable);
    expect(await cluster.planned()).toEqual(["update config"]);
    await cluster.destroy();
  });
});

describe("an object that does not become ready in time", () => {
  const claim = (annotations: object) => ({
    name: "claim",
    object: {
      ...{ apiVersion: "v1", kind: "PersistentVolumeClaim" },
      metadata: { name: "unbound", namespace: "default", annotations },
      spec: {
        ...{ accessModes: ["ReadWriteOnce"], storageClassName: "nobody-serves-it" },
        resources: { requests: { storage: "1Gi" } },
      },
    },
    options: { customTimeouts: { create: "2s", update: "2s" } },
  });

  it("fails with what it waits for, stays in the state, and is taken up by the next run", async () => {
    await cluster.write([claim({})]);
    expect(await cluster.fails("up", "--yes", "--skip-preview")).toContain(
      "PersistentVolumeClaim default/unbound is not ready: after 2 s still waiting until a volume is bound to it",
    );
    await cluster.write([claim({ "pulumi.com/skipAwait": "true" })]);
    expect(await cluster.planned()).toEqual(["update claim"]);
    expect(await cluster.up()).toContain("~ 1 updated");
    await cluster.destroy();
    expect(await cluster.statusOf("/api/v1/namespaces/default/persistentvolumeclaims/unbound")).toBe(404);
  });
});

describe("names", () => {
  it("that the program leaves out are made up once and kept", async () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "default" }, data: { a: "1" } };
    await cluster.write([{ name: "nameless", object }]);
    await cluster.up();
    const names = async () => {
      const { body } = await cluster.plane.request("GET", "/api/v1/namespaces/default/configmaps");
      const all = (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
      return all.filter((name) => name.startsWith("nameless-"));
    };
    const [first = "", ...others] = await names();
    expect(first).toMatch(/^nameless-[0-9a-f]{8}$/);
    expect(others).toEqual([]);
    expect(await cluster.up()).toContain("unchanged");
    await cluster.destroy();
    expect(await names()).toEqual([]);
  });
});

describe("a stack that is not of this machine", () => {
  it("is previewed, and not changed", async () => {
    await cluster.succeeds("stack", "init", "--stack", "dev", "--no-select");
    await cluster.write([{ name: "x", object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } } }]);
    expect((await cluster.pulumi("preview", "--stack", "dev")).code).toBe(0);
    const changed = ["up", "--yes", "--skip-preview", "--stack", "dev"];
    expect(await cluster.fails(...changed)).toContain("stack dev can be previewed but not changed here");
    expect(await cluster.statusOf("/api/v1/namespaces/default/configmaps/x")).toBe(404);
  });
});
