import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { startControlPlane, type ControlPlane } from "../support/control-plane.ts";
import { goldenFile, readGolden } from "../support/golden.ts";
import { items } from "../support/listed-object.ts";
import { startRunnerController, type RunnerController } from "../support/runner-controller-stand-in.ts";

const NAMES = ["autoscalinglisteners", "autoscalingrunnersets", "ephemeralrunners", "ephemeralrunnersets"];
const DEFINITIONS = NAMES.map((name) => goldenFile(`crds/actions.github.com_${name}.yaml`)).filter(
  (file) => file !== undefined,
);
const CONTROLLER = readGolden("controller.rendered.yaml") as readonly Applied[] | undefined;
const SCALE_SET = readGolden("default.rendered.yaml") as readonly Applied[] | undefined;
const isHere = DEFINITIONS.length === NAMES.length && CONTROLLER !== undefined && SCALE_SET !== undefined;

interface Applied {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
}

const APPLY = { contentType: "application/apply-patch+yaml" };
const SECRET = "/api/v1/namespaces/runners/secrets/acme-github-app";
const SET = "/apis/actions.github.com/v1alpha1/namespaces/runners/autoscalingrunnersets/iac-runner-base-image-builder";

describe.skipIf(!isHere)("the controller's stand-in, with the official renderings", { timeout: 60_000 }, () => {
  let plane: ControlPlane;
  let controller: RunnerController;

  beforeAll(async () => {
    plane = await startControlPlane();
    for (const file of DEFINITIONS) await apply(parse(await readFile(file, "utf8")) as Applied);
    for (const name of ["arc-systems", "runners"])
      await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    controller = startRunnerController(plane);
  });

  afterEach(async () => {
    for (const object of [...(SCALE_SET ?? []), ...(CONTROLLER ?? [])]) await plane.request("DELETE", pathOf(object));
    await plane.request(
      "PATCH",
      SET,
      { metadata: { finalizers: null } },
      { contentType: "application/merge-patch+json" },
    );
    await until(
      async () => (await items(plane, "/apis/actions.github.com/v1alpha1/autoscalingrunnersets")).length === 0,
    );
  });

  afterAll(async () => {
    await controller.stop();
    await plane.stop();
  });

  async function apply(object: Applied): Promise<void> {
    // The chart's own finalizers make good for `helm uninstall`, which goes in any order.
    const plain = { ...object, metadata: { ...object.metadata, finalizers: [] } };
    const answer = await plane.request("PATCH", `${pathOf(object)}?fieldManager=test&force=true`, plain, APPLY);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  }

  const secret = () =>
    apply({
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "acme-github-app", namespace: "runners" } },
      ...{ stringData: { github_app_id: "1", github_app_installation_id: "2", github_app_private_key: "key" } },
    });

  /** The events from now on, once the last is of this kind. */
  async function events(from: number, last: string): Promise<unknown[]> {
    await until(() => Promise.resolve(controller.events.length > from && controller.events.at(-1)?.what === last));
    return controller.events.slice(from).map(({ what, why }) => (why === undefined ? what : `${what}: ${why}`));
  }

  async function installed(): Promise<number> {
    const from = controller.events.length;
    for (const object of [...(CONTROLLER ?? []), ...(SCALE_SET ?? [])]) await apply(object);
    await secret();
    await until(() => Promise.resolve(controller.events.length > from && controller.events.at(-1)?.what === "running"));
    return controller.events.length;
  }

  it("adopts a scale set, and lets it go while all that it needs is there", async () => {
    const from = await installed();
    expect((await plane.request("GET", SET)).body.status).toMatchObject({ phase: "Running" });
    await plane.request("DELETE", SET);
    expect(await events(from, "finalized")).toEqual(["finalized"]);
    await until(async () => (await plane.request("GET", SET)).status === 404);
  });

  it.each([
    ["the Secret", SECRET, "there is no secret acme-github-app"],
    [
      "the manager's RoleBinding",
      "/apis/rbac.authorization.k8s.io/v1/namespaces/runners/rolebindings/iac-runner-base-image-builder-gha-rs-manager",
      "the controller may not create pods in runners",
    ],
    ["itself", "/apis/apps/v1/namespaces/arc-systems/deployments/arc-controller", "the controller is gone"],
  ])("keeps its finalizer where %s went first", async (_, path, why) => {
    const from = await installed();
    expect((await plane.request("DELETE", path)).status).toBe(200);
    // Who checks rights sees a change of them a moment later.
    if (path.includes("/runners/")) expect(await events(from, "waiting")).toEqual([`waiting: ${why}`]);
    await plane.request("DELETE", SET);
    expect((await events(from, "held")).at(-1)).toBe(`held: ${why}`);
    expect((await plane.request("GET", SET)).status).toBe(200);
  });

  it.each([
    ["of another minor version", { "app.kubernetes.io/version": "0.13.1" }, "0.13.1"],
    ["without a version", {}, "none"],
  ])("deletes a scale set %s", async (_, labels, found) => {
    const from = controller.events.length;
    for (const object of CONTROLLER ?? []) await apply(object);
    const set = SCALE_SET?.find(({ kind }) => kind === "AutoscalingRunnerSet");
    if (set !== undefined) await apply({ ...set, metadata: { ...set.metadata, labels } });
    expect(await events(from, "deleted")).toEqual([`deleted: its version label is ${found}, the controller is 0.14.2`]);
    await until(async () => (await plane.request("GET", SET)).status === 404);
  });
});

const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: "networkpolicies" };

function pathOf({ apiVersion, kind, metadata }: Applied): string {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const within = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  return `${group}${within}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${metadata.name}`;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 50));
}
