import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { callerStateFault } from "../../../../execution/module/caller-state.ts";
import { checkRequest } from "../../../../execution/module/request.ts";
import { parseResponse } from "../../../../execution/module/response.ts";
import { passphraseKey, stateKey } from "../../../../execution/module/state-key.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker } from "./fake-docker.ts";
import { ENVELOPE, imageOf } from "./labelled-image.ts";

// A dozen processes a run, and keys of passphrases: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

const URL_ENV = { PULUMI_BACKEND_URL: "s3://b", PULUMI_ACCESS_TOKEN: "pul-0123456789" };
const PASSPHRASE = { KILN_STATE_PASSPHRASE: "correct horse" };
const APPLY = { action: "apply", inputs: {}, stack_name: "s", run_id: "r" } as const;
describe("a sealed state that comes back although it was taken for remote", () => {
  const home = async (env: object) => ({ ...URL_ENV, ...env, XDG_STATE_HOME: await temporaryDirectory() });

  it.each([
    ["a key that ends with the run", {}, ["key", "s"]],
    ["the passphrase's", PASSPHRASE, ["s"]],
  ])("with %s is a failure, and kept with what opens it", async (_, more, names) => {
    const env = await home(more);
    const fake = await imageOf("pulumi", { tool: "opentofu" });
    const { response, container, carried } = await fake.execute({ request: APPLY, credentials: ["pulumi"] }, env);
    expect(response).toMatchObject({ success: false, error_detail: { code: "state_mismatch" } });
    expect(carried).toBe(false);
    const directory = path.join(env.XDG_STATE_HOME, "kiln/rescued", container.name);
    expect(response.error).toContain(`go on with --state ${directory} --stack-name s`);
    expect((await readdir(directory)).sort()).toEqual(names);
    expect((await stat(path.join(directory, "s"))).mode & 0o077).toBe(0);
    const kept = JSON.parse(await readFile(path.join(directory, "s/state.json"), "utf8")) as unknown;
    expect(kept).toEqual(response.state);
    // The key that the container sealed with is the one that the directory leads to.
    const sent = JSON.parse(await fake.fileOf("r", "stdin")) as { state_key: string };
    expect((await stateKey(directory, path.join(directory, "s"), env)).toString("base64")).toBe(sent.state_key);
    const next = await fake.execute({ request: { ...APPLY, run_id: "n" }, state: { directory } }, { ...env });
    expect(next.response).toMatchObject({ success: true, state: { serial: 2 } });
  });

  it("is said to stand in the response alone where nothing can be written", async () => {
    const env = { XDG_STATE_HOME: path.join(import.meta.dirname, "fake-docker.sh") };
    const run = { request: APPLY, key: { bytes: Buffer.alloc(32), lasts: false }, carries: false, brings: false };
    const response = parseResponse(JSON.stringify({ success: true, action: "apply", state: ENVELOPE }));
    vi.stubEnv("TMPDIR", env.XDG_STATE_HOME);
    const fault = await callerStateFault(response, { ...run, name: "c", env }).finally(() => vi.unstubAllEnvs());
    expect(fault).toMatchObject({ code: "state_mismatch", refused: true });
    expect(fault?.message).toMatch(/could not be kept in .*rescued\/c \(.*\) or .*, and stands in the response alone/);
  });

  it.each([[{ action: "preview" }], [{ state_mode: "ephemeral" }]] as const)("is none to keep: %j", async (fields) => {
    const env = await home({});
    const fake = await imageOf("pulumi", { state: { serial: 1 } });
    const request = checkRequest({ ...APPLY, ...fields });
    expect((await fake.execute({ request, credentials: ["pulumi"] }, env)).response.success).toBe(true);
    expect(await readdir(env.XDG_STATE_HOME)).toEqual([]);
  });
});

describe("a caller who carries the state by a passphrase, without a state directory", () => {
  it.each([
    ["brings it", { state: ENVELOPE }, 4],
    ["brings the tool's own", { state: { version: 3, deployment: {} } }, undefined],
    ["begins with none, and says so", { state_mode: "carried" }, 1],
  ])("%s: %#", async (_, fields, serial) => {
    const fake = await fakeDocker();
    if (serial === undefined) await fake.play({ state: { serial: 1, lineage: ENVELOPE.lineage } });
    const result = await fake.execute({ request: checkRequest({ ...APPLY, ...fields }) }, PASSPHRASE);
    expect(result.response).toMatchObject({ success: true, state: { serial: serial ?? 1 } });
    expect(result).not.toHaveProperty("state");
    expect(result.carried).toBe(true);
    const sent = JSON.parse(await fake.fileOf("r", "stdin")) as { state_key: string };
    expect(sent).not.toHaveProperty("state_key_lasting");
    expect(sent.state_key).toBe((await passphraseKey("s", PASSPHRASE))?.toString("base64"));
  });

  it.each([
    ["without a passphrase", { state: ENVELOPE }, {}],
    ["who says nothing of it", {}, PASSPHRASE],
  ])("%s is refused, with what to do", async (_, fields, env) => {
    const fake = await fakeDocker();
    await expect(fake.execute({ request: checkRequest({ ...APPLY, ...fields }) }, env)).rejects.toMatchObject({
      message: "apply has no place for its state",
      mend: expect.stringContaining("KILN_STATE_PASSPHRASE") as string,
    });
  });

  it.each([
    ["behind", { serial: 1 }, "its serial 1 is behind 3"],
    ["of another stack", { stack: "other" }, "it is of the stack other"],
  ])("is told of a state that is %s, which stays in the response", async (_, state, message) => {
    const fake = await fakeDocker({ state });
    const { response, container } = await fake.execute({ request: { ...APPLY, state: ENVELOPE } }, PASSPHRASE);
    expect(response).toMatchObject({ success: false, error_detail: { code: "state_mismatch" }, state });
    expect(response.error).toContain(message);
    expect(container.kept).toBe(false);
  });

  it("and gets none back has failed", async () => {
    const fake = await fakeDocker({ response: { state: null } });
    const { response } = await fake.execute({ request: { ...APPLY, state: ENVELOPE } }, PASSPHRASE);
    expect(response).toMatchObject({ success: false, error: expect.stringContaining("no state back") as string });
  });
});
