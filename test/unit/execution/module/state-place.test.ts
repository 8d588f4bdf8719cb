import { readdir } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { Executor } from "../../../../execution/module/executor.ts";
import { checkRequest } from "../../../../execution/module/request.ts";
import { placedRequest, refuseMisplaced } from "../../../../execution/module/state-place.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker } from "./fake-docker.ts";
import { ENVELOPE, imageOf } from "./labelled-image.ts";

// A dozen processes a run, and keys of passphrases: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

const URL_ENV = { PULUMI_BACKEND_URL: "s3://b", PULUMI_ACCESS_TOKEN: "pul-0123456789" };
const APPLY = { action: "apply", inputs: {}, stack_name: "s", run_id: "r" } as const;
describe("PULUMI_BACKEND_URL is this machine's, and no state directory is given", () => {
  it("an image of OpenTofu does not read it: its state would have no place, and nothing is run", async () => {
    const fake = await imageOf("opentofu", { tool: "opentofu" });
    await expect(fake.execute({ request: APPLY, credentials: ["pulumi"] }, URL_ENV)).rejects.toMatchObject({
      kind: "usage",
      message: "apply has no place for its state: OpenTofu does not read PULUMI_BACKEND_URL",
    });
    expect(await fake.calls("create")).toEqual([]);
  });

  it("nor does a file:// in it keep an image of OpenTofu from a state directory", async () => {
    const fake = await imageOf("opentofu", { tool: "opentofu" });
    const environment = { PULUMI_BACKEND_URL: "file:///tmp/state" };
    const state = { directory: await temporaryDirectory() };
    const { response } = await fake.execute({ request: { ...APPLY, environment }, state });
    expect(response).toMatchObject({ success: true, state: { serial: 1 } });
  });

  it("an image of OpenTofu that brings no state back into a directory has failed all the same", async () => {
    const fake = await imageOf("opentofu", { tool: "opentofu", response: { state: null } });
    const state = { directory: await temporaryDirectory() };
    const { response } = await fake.execute({ request: APPLY, state, credentials: ["pulumi"] }, URL_ENV);
    expect(response).toMatchObject({ success: false, error: expect.stringContaining("no state back") as string });
  });

  it("an image of Pulumi has its state there", async () => {
    const fake = await imageOf("pulumi");
    const { response } = await fake.execute({ request: APPLY, credentials: ["pulumi"] }, URL_ENV);
    expect(response.success).toBe(true);
    expect(JSON.parse(await fake.fileOf("r", "workspace/input.json"))).not.toHaveProperty("state_mode");
  });

  it("an image that does not say its tool is told that state is remote: OpenTofu refuses that without a backend", async () => {
    const fake = await imageOf(undefined);
    expect((await fake.execute({ request: APPLY, credentials: ["pulumi"] }, URL_ENV)).response.success).toBe(true);
    expect(JSON.parse(await fake.fileOf("r", "workspace/input.json"))).toMatchObject({ state_mode: "remote" });
  });

  it.each([
    ["directory", { directory: "/s", carries: false }],
    ["caller", { directory: undefined, carries: true }],
  ])("where the %s keeps state, an image without a label decides itself", (_, place) => {
    const request = checkRequest(APPLY);
    expect(placedRequest(request, { backendUrl: "s3://b", ...place }, undefined).request).toBe(request);
  });
});

describe("state in two places", () => {
  const S3 = { type: "s3", config: { bucket: "b" } };
  it.each([
    ["request.state", { state: ENVELOPE }],
    ["request.state", { state: { version: 3 } }],
    ["request.state", { action: "preview", state: ENVELOPE }],
    ["the backend s3 of request.backend", { backend: S3 }],
    ["the backend s3 of request.backend", { backend: S3, state_mode: "carried" }],
  ])("%s beside a state directory is refused by both names, before the engine is asked: %#", async (what, fields) => {
    const fake = await fakeDocker();
    const directory = await temporaryDirectory();
    const request = checkRequest({ ...APPLY, ...fields });
    await expect(fake.execute({ request, state: { directory } })).rejects.toMatchObject({
      kind: "usage",
      message: `state is in two places: ${what}, and the state directory ${directory}`,
      mend: expect.stringContaining("Leave one out") as string,
    });
    await expect(fake.calls()).rejects.toThrow("ENOENT");
    expect(await readdir(directory)).toEqual([]);
  });

  it("a backend that is said to have it takes the directory for the rest", () => {
    const places = { backendUrl: "", directory: "/s", carries: false };
    expect(() => {
      refuseMisplaced(checkRequest({ ...APPLY, backend: S3, state_mode: "remote" }), places);
      refuseMisplaced(checkRequest({ ...APPLY, backend: { type: "local" } }), places);
    }).not.toThrow();
  });
});

describe("a stack of several parts", () => {
  const S3 = { backend: { type: "s3", config: { bucket: "b" } } };
  it.each([
    ["carried", {}, "whose state is carried"],
    ["on a backend of storage alone", S3, "the backend s3:// has no organization acme"],
    ["behind another address", { backend: { type: "any", config: { url: "gs://b" } } }, "the backend gs:// has no"],
  ])("that is %s is refused before the engine is asked", async (_, fields, message) => {
    const fake = await fakeDocker();
    const request = checkRequest({ ...APPLY, stack_name: "acme/api/dev", ...fields });
    const state = "backend" in fields ? {} : { state: { directory: await temporaryDirectory() } };
    await expect(fake.execute({ request, ...state })).rejects.toThrow(message);
    await expect(fake.calls()).rejects.toThrow("ENOENT");
  });

  it("is refused for an image of OpenTofu, whose workspaces have none", async () => {
    const fake = await imageOf("opentofu");
    const request = checkRequest({ ...APPLY, stack_name: "acme/dev", state_mode: "remote" });
    await expect(fake.execute({ request })).rejects.toThrow("a stack of OpenTofu has no organization");
    expect(await fake.calls("create")).toEqual([]);
  });
});

it("what is wrong whatever the image is said without an engine, before one is built", async () => {
  const executor = new Executor({ env: {} });
  const request = checkRequest({ ...APPLY, state: ENVELOPE });
  await expect(executor.check({ request, state: { directory: "/s" } })).rejects.toThrow("state is in two places");
  await expect(executor.check({ request: checkRequest(APPLY) })).rejects.toThrow("no place for its state");
  await expect(executor.check({ request: checkRequest(APPLY), state: { directory: "/s" } })).resolves.toBeUndefined();
});
