import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readyEntrypoint } from "../../../execution/module/entrypoint-program.ts";
import { silent } from "../../../progress.ts";
import type { Engine } from "../../../toolchain/docker-engine.ts";
import { places } from "../../../toolchain/places.ts";
import { ownPlatform } from "../../../toolchain/platforms.ts";
import { moduleEngine, moduleImage } from "../../support/module-images.ts";
import { NoteServer } from "../../support/module-notes.ts";
import { ModuleRuns, realChanges } from "../../support/module-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let engine: Engine;
let outside: NoteServer;

beforeAll(async () => {
  engine = await moduleEngine();
  outside = await NoteServer.start(engine);
});

afterAll(() => outside.stop());

const ECHO = { deep: [1e6, -3.5, null, true, { "a b": "x y", "": [] }], "--flag": "-3" };
const SECRET = 'p"äss word\nof two lines';

describe.each(["pulumi-nodejs", "pulumi-python", "pulumi-go"] as const)("%s, through the executor", (example) => {
  it("goes from preview to destroy, with its state carried from container to container", async () => {
    const { image } = await moduleImage(engine, example);
    const inputs = { "notes:store": outside.address, content: "first", echo: ECHO };
    const runs = new ModuleRuns(engine, image, await temporaryDirectory(), inputs);
    const secrets = { inputs: { secret: SECRET } };

    const preview = await runs.perform("preview", { secrets });
    expect(preview.response).toMatchObject({ success: true, summary: { create: 2 }, phase: "done" });
    expect(preview.response.plan_digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect([...outside.notes]).toEqual([]);

    const fields = { plan_digest: preview.response.plan_digest ?? "" };
    const apply = await runs.perform("apply", { secrets, fields });
    expect(apply.response.error).toBeUndefined();
    expect(apply.response).toMatchObject({ success: true, summary: { create: 2 } });
    expect(apply.outputs).toMatchObject({
      echo: { value: ECHO, sensitive: false },
      integer: { value: 123456789012 },
      fraction: { value: 0.125 },
      flag: { value: true },
      list: { value: [1, "two", [3], { four: 4 }] },
      object: { value: { nested: { empty: {}, none: [] } } },
      secret: { value: SECRET, sensitive: true },
    });
    // Pulumi's SDKs for Python and Go export nothing where they are given nothing.
    const none = ["pulumi-python", "pulumi-go"].includes(example);
    expect(apply.outputs.nothing).toEqual(none ? undefined : { value: null, sensitive: false });
    expect(apply.response.outputs.secret).toMatchObject({ value: null, sensitive: true });
    expect(apply.sandbox).toMatchObject({ readOnlyRoot: true, capabilities: "none", relaxations: [] });
    expect(apply.state).toMatchObject({ serial: 1, changed: true });
    expect([...outside.notes.keys()]).toEqual(["greeting"]);
    expect(await runs.containers(apply.runId)).toEqual([]);

    const moved = await runs.perform("apply", { secrets, fields });
    expect(moved.response).toMatchObject({ success: false, error_detail: { code: "plan_moved" } });
    expect(moved.exitCode).toBe(3);

    const again = await runs.perform("apply", { secrets });
    expect(again.response).toMatchObject({ success: true, summary: { create: 0, update: 0, delete: 0, same: 2 } });

    outside.notes.set("greeting", '{"content":"by hand"}');
    const before = await runs.envelope();
    const refresh = await runs.perform("refresh", { secrets });
    expect(refresh.response).toMatchObject({ success: true, drift: true, summary: { update: 1 } });
    expect(JSON.stringify(refresh.response.changes)).toContain("by hand");
    expect(await runs.envelope()).toEqual(before);

    const destroy = await runs.perform("destroy", { secrets });
    expect(destroy.response).toMatchObject({ success: true, summary: { delete: 2 } });
    expect([...outside.notes]).toEqual([]);
    expect(await runs.envelope()).toMatchObject({ lineage: before.lineage, serial: before.serial + 1 });
    expect(runs.events.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["phase", "log", "resource", "summary"]),
    );
    expect(JSON.stringify(runs.events)).not.toContain("of two lines");
  });
});

it("takes over what exists, and needs not change it then", async () => {
  const { image } = await moduleImage(engine, "pulumi-go");
  outside.notes.set("greeting", '{"content":"there before"}');
  const inputs = { "notes:store": outside.address, content: "there before" };
  const runs = new ModuleRuns(engine, image, await temporaryDirectory(), inputs);
  const fields = { import: [{ address: "notes:index:Note::greeting", id: "greeting" }] };
  const imported = await runs.perform("import", { fields });
  expect(imported.response.error).toBeUndefined();
  expect(realChanges(imported)).toContain("import");
  const apply = await runs.perform("apply");
  expect(apply.response).toMatchObject({ success: true, summary: { create: 0, update: 0, replace: 0, delete: 0 } });
  outside.notes.delete("greeting");
});

it("runs an entrypoint that is put into the container of an image, in place of what the image would start", async () => {
  const { image } = await moduleImage(engine, "opentofu");
  const entrypoint = await readyEntrypoint(ownPlatform(), { places: places(), progress: silent });
  const runs = new ModuleRuns(engine, image, await temporaryDirectory());
  const plain = `kiln-test-module-plain:${process.pid}`;
  const context = await temporaryDirectory();
  await writeFile(path.join(context, "Dockerfile"), `FROM ${image}\nENTRYPOINT ["sleep", "1000"]\n`);
  expect((await runs.docker("build", "--tag", plain, context)).code).toBe(0);
  onTestFinished(async () => {
    await runs.docker("image", "rm", plain);
  });
  const preview = await runs.perform("preview", { image: plain, entrypoint, network: "none" });
  expect(preview.response.error).toBeUndefined();
  expect(preview.response).toMatchObject({ success: true, summary: { create: 2 } });
});

describe("a module of OpenTofu, through the executor", () => {
  it("applies exactly the plan, finds what is gone, and destroys", async () => {
    const { image } = await moduleImage(engine, "opentofu");
    const runs = new ModuleRuns(engine, image, await temporaryDirectory(), { content: "first", echo: ECHO });
    const secrets = { inputs: { secret: SECRET } };
    const preview = await runs.perform("preview", { secrets, network: "none" });
    expect(preview.response).toMatchObject({ success: true, summary: { create: 2 } });

    const fields = { plan_digest: preview.response.plan_digest ?? "" };
    const apply = await runs.perform("apply", { secrets, fields, network: "none" });
    expect(apply.response.error).toBeUndefined();
    expect(apply.response).toMatchObject({ success: true, summary: { create: 2 } });
    expect(apply.outputs).toMatchObject({
      echo: { value: ECHO },
      nothing: { value: null, sensitive: false },
      secret: { value: SECRET, sensitive: true },
    });
    expect(apply.response.outputs.secret).toMatchObject({ value: null, sensitive: true });

    const other = await runs.perform("apply", { fields: { ...fields, inputs: { content: "other" } }, secrets });
    expect(other.response).toMatchObject({ success: false, error_detail: { code: "plan_moved" } });

    // Its file went with the container that made it: nothing but the state came along.
    const refresh = await runs.perform("refresh", { secrets });
    expect(refresh.response).toMatchObject({ success: true, drift: true });
    expect(realChanges(refresh)).toEqual(["delete"]);

    const destroy = await runs.perform("destroy", { secrets });
    expect(destroy.response).toMatchObject({ success: true });
    const nothing = await new ModuleRuns(engine, image, await temporaryDirectory()).perform("destroy");
    expect(nothing.response).toMatchObject({ success: false, error_detail: { code: "state_missing" } });
  });
});
