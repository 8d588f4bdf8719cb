import { createDecipheriv } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it, test, vi } from "vitest";
import { checkRequest } from "../../../../execution/module/request.ts";
import { parseResponse } from "../../../../execution/module/response.ts";
import { sealedResponse } from "../../../../execution/module/sealed-state.ts";
import { isEnvelope } from "../../../../execution/module/state-envelope.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker, type Scenario } from "./fake-docker.ts";

// A dozen processes a run: slow where a machine is busy.
vi.setConfig({ testTimeout: 60_000 });

/** A run whose container answers so, and what is kept of it. */
async function answered(response: Scenario["response"], fields: object = {}) {
  const fake = await fakeDocker({ response });
  const directory = await temporaryDirectory();
  const request = checkRequest({ action: "apply", stack_name: "s", run_id: "r", ...fields });
  const result = await fake.execute({ state: { directory }, request });
  const folder = path.join(directory, "s");
  const kept = await readFile(path.join(folder, "runs/r/response.json"), "utf8");
  return { result, kept, files: await readdir(folder), left: await fake.containers() };
}

it.each(["apply", "import"])("an %s that brings no state back is no success", async (action) => {
  const fields = action === "import" ? { import: [{ address: "a", id: "i" }] } : {};
  const { result, kept, left } = await answered({ state: null }, { action, ...fields });
  expect(result.response).toMatchObject({ success: false, error_detail: { code: "internal" } });
  expect(result.response.error).toMatch(new RegExp(`^${action} brought no state back: .*state_mode "remote"`));
  expect(JSON.parse(kept)).toMatchObject({ success: false });
  expect(left).toEqual([]);
});

it.each([
  ["an empty object is none", {}, { state: {} }, false],
  ["a failure stays what it was", {}, { state: null, success: false, error: "denied" }, false],
  ["remote state is elsewhere", { state_mode: "remote" }, { state: null }, true],
  ["ephemeral state is nowhere", { state_mode: "ephemeral" }, { state: null }, true],
  ["a preview makes none", { action: "preview" }, { state: null }, true],
  [
    "a backend has it",
    { backend: { type: "s3", config: { bucket: "b" } }, state_mode: "remote" },
    { state: null },
    true,
  ],
  ["so has Pulumi's", { environment: { PULUMI_BACKEND_URL: "s3://b" } }, { state: null }, true],
  ["nothing was there to destroy", { action: "destroy" }, { state: null }, true],
])("%s: %j", async (_, fields, response, success) => {
  const { result } = await answered(response, fields);
  expect(result.response.success).toBe(success);
  if (!success && "error" in response) expect(result.response.error).toBe("denied");
});

const PLAIN = { version: 3, deployment: { secret: "in the clear 0123456789" } };

it.each(["apply", "preview"])("the state of a tool that %s gives in the clear is kept sealed alone", async (action) => {
  const { result, kept, files } = await answered({ state: PLAIN, tool: { name: "pulumi", version: "3" } }, { action });
  expect(kept).not.toContain("in the clear");
  expect(JSON.stringify(result.response)).not.toContain("in the clear");
  expect(JSON.parse(kept)).toMatchObject({ state: { format: "kiln-state/v1", tool: "pulumi", stack: "s", serial: 1 } });
  expect(files).not.toContain("state.json");
  if (action === "preview") expect(result.response.success).toBe(true);
  else expect(result.response).toMatchObject({ success: false, error_detail: { code: "state_mismatch" } });
});

it.each([
  ["request.backend", { backend: { type: "local", config: { path: "/var/state" } } }, {}],
  ["PULUMI_BACKEND_URL", { environment: { PULUMI_BACKEND_URL: "file:///tmp/state" } }, {}],
  ["PULUMI_BACKEND_URL", {}, { PULUMI_BACKEND_URL: "file:///tmp/state", PULUMI_ACCESS_TOKEN: "pul-0123456789" }],
])("%s: what would keep its state in the container begins no run: %j, %j", async (what, fields, env) => {
  const fake = await fakeDocker();
  const request = checkRequest({ action: "apply", stack_name: "s", ...fields });
  const state = { directory: await temporaryDirectory() };
  const credentials = Object.keys(env).length === 0 ? [] : (["pulumi"] as const);
  await expect(fake.execute({ state, request, credentials }, env)).rejects.toThrow(`${what} keeps state in a folder`);
  // Which tool reads the variable is known with the image; a backend of the request is refused before anybody asks for it.
  if (what === "PULUMI_BACKEND_URL") expect(await fake.calls("create")).toEqual([]);
  else await expect(fake.calls()).rejects.toThrow("ENOENT");
});

test("what was sealed here opens with the key, as the entrypoint opens it, and follows what was sent", () => {
  const key = Buffer.alloc(32, 1);
  const answer = parseResponse(JSON.stringify({ success: true, action: "apply", state: { lineage: "l", serial: 9 } }));
  const { response } = sealedResponse(answer, { key, stack: "s", sent: undefined });
  const { state } = response;
  if (!isEnvelope(state)) throw new Error("no envelope");
  const { format, tool, stack, lineage, serial } = state;
  expect({ tool, stack, serial }).toEqual({ tool: "opentofu", stack: "s", serial: 1 });
  const data = Buffer.from(state.data, "base64");
  const cipher = createDecipheriv("aes-256-gcm", key, Buffer.from(state.nonce, "base64"))
    .setAAD(Buffer.from(`${format}|${tool}|${stack}|${lineage}|${serial}`))
    .setAuthTag(data.subarray(-16));
  const clear = Buffer.concat([cipher.update(data.subarray(0, -16)), cipher.final()]).toString("utf8");
  expect(JSON.parse(clear)).toEqual({ lineage: "l", serial: 9 });
  const next = sealedResponse(answer, { key, stack: "s", sent: state }).response.state;
  expect(next).toMatchObject({ lineage, serial: 2 });
});
